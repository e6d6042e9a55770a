package main

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"sort"
	"strings"
)

const (
	maxMessageBytes = 1024 * 1024
	maxAttributes   = 10
)

type attribute struct {
	DataType    string
	StringValue *string `json:",omitempty"`
	BinaryValue []byte  `json:",omitempty"`
}

type content struct {
	MessageBody       string
	MessageAttributes map[string]attribute
	MessageGroupId    string
	DelaySeconds      int
}

// Bytes counts as the limit does: the body, and of each attribute the name, the type and the value.
func (c *content) bytes() int {
	sum := len(c.MessageBody)
	for name, each := range c.MessageAttributes {
		sum += len(name) + len(each.DataType) + len(each.value())
	}
	return sum
}

// Check says why a message is refused.
func (c *content) check(limit int) error {
	if c.MessageBody == "" {
		return missing("MessageBody")
	}
	if c.bytes() > limit {
		return invalid("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", limit)
	}
	if !isLegal(c.MessageBody) {
		return failure{"InvalidMessageContents", "The message contains characters outside the allowed set."}
	}
	if len(c.MessageAttributes) > maxAttributes {
		return invalid("Number of message attributes [%d] exceeds the allowed maximum [%d].", len(c.MessageAttributes), maxAttributes)
	}
	for name, each := range c.MessageAttributes {
		if !isAttributeName(name) {
			return invalid("The message attribute name '%s' is invalid.", name)
		}
		if err := each.check(name); err != nil {
			return err
		}
	}
	if c.DelaySeconds != 0 {
		return failure{"UnsupportedOperation", "sqsmem knows no delays"}
	}
	return nil
}

func (a attribute) isBinary() bool { return strings.HasPrefix(a.DataType, "Binary") }

func (a attribute) value() string {
	if a.isBinary() {
		return string(a.BinaryValue)
	}
	if a.StringValue == nil {
		return ""
	}
	return *a.StringValue
}

func (a attribute) check(name string) error {
	kind, _, _ := strings.Cut(a.DataType, ".")
	if kind != "String" && kind != "Number" && kind != "Binary" {
		return invalid("The type of message (user) attribute '%s' is invalid: it must begin with String, Number or Binary.", name)
	}
	if a.value() == "" {
		return invalid("Message (user) attribute '%s' must contain a non-empty value of type '%s'.", name, kind)
	}
	if kind != "Binary" && !isLegal(a.value()) {
		return invalid("Message (user) attribute '%s' contains characters outside the allowed set.", name)
	}
	return nil
}

// What XML 1.0 can carry, which is all that SQS takes.
func isLegal(text string) bool {
	for _, r := range text {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return false
		}
	}
	return true
}

func isAttributeName(name string) bool {
	lower := strings.ToLower(name)
	return name != "" && len(name) <= 256 && isMadeOf(name, "_-.") &&
		!strings.HasPrefix(lower, "aws.") && !strings.HasPrefix(lower, "amazon.") &&
		!strings.HasPrefix(name, ".") && !strings.HasSuffix(name, ".") && !strings.Contains(name, "..")
}

// Letters, digits and `others`.
func isMadeOf(text, others string) bool {
	for _, r := range text {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(others, r) {
			return false
		}
	}
	return true
}

func md5OfBody(body string) string {
	sum := md5.Sum([]byte(body))
	return hex.EncodeToString(sum[:])
}

// By AWS's rule: names in order; name, type and value each behind its length; between them which kind of value it is.
func md5OfAttributes(attributes map[string]attribute) string {
	if len(attributes) == 0 {
		return ""
	}
	names := make([]string, 0, len(attributes))
	for name := range attributes {
		names = append(names, name)
	}
	sort.Strings(names)
	var all []byte
	add := func(text string) {
		all = binary.BigEndian.AppendUint32(all, uint32(len(text)))
		all = append(all, text...)
	}
	for _, name := range names {
		each := attributes[name]
		add(name)
		add(each.DataType)
		if each.isBinary() {
			all = append(all, 2)
		} else {
			all = append(all, 1)
		}
		add(each.value())
	}
	sum := md5.Sum(all)
	return hex.EncodeToString(sum[:])
}
