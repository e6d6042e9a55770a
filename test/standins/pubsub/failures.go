package main

import (
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// As clients report it of the service, and tell it from other wrong arguments by its details.
const codeOfFailures = codes.InvalidArgument

// FailuresOf names the receipts that an exactly-once subscription did not take; the others are done. They come in the trailers
// of the answer, of which Node's client takes 64 KB: with more than two hundred its call hears nothing until its deadline, and
// its connection is of no more use.
func failuresOf(code codes.Code, reasons map[string]string) error {
	said := status.New(code, "Some acknowledgement ids in the request were invalid. This could be because the acknowledgement ids have expired or the acknowledgement ids were malformed.")
	detailed, err := said.WithDetails(&errdetails.ErrorInfo{
		Reason:   "EXACTLY_ONCE_ACKID_FAILURE",
		Domain:   "pubsub.googleapis.com",
		Metadata: reasons,
	})
	if err != nil {
		return err
	}
	return detailed.Err()
}
