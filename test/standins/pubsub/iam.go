package main

import (
	"context"

	"cloud.google.com/go/iam/apiv1/iampb"
)

// Iam grants what it is asked for.
type iam struct {
	iampb.UnimplementedIAMPolicyServer
	rules *faults
}

func (i *iam) TestIamPermissions(_ context.Context, in *iampb.TestIamPermissionsRequest) (*iampb.TestIamPermissionsResponse, error) {
	granted := &iampb.TestIamPermissionsResponse{}
	for _, each := range in.Permissions {
		if i.rules.item("deny", "TestIamPermissions", in.Resource) == nil {
			granted.Permissions = append(granted.Permissions, each)
		}
	}
	return granted, nil
}
