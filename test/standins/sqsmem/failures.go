package main

import "fmt"

// A failure is an error that the client is told, by AWS's name for it.
type failure struct{ code, text string }

func (f failure) Error() string { return f.code + ": " + f.text }

func invalid(format string, values ...any) failure {
	return failure{"InvalidParameterValue", fmt.Sprintf(format, values...)}
}

func missing(parameter string) failure {
	return failure{"MissingParameter", "The request must contain the parameter " + parameter + "."}
}

// Errors that the service's model does not have come from AWS's framework, under names of their own.
func (f failure) typeName() string {
	switch f.code {
	case "InvalidParameterValue", "MissingParameter":
		return "com.amazon.coral.service#" + f.code + "Exception"
	case "SerializationException":
		return "com.amazon.coral.service#" + f.code
	}
	return "com.amazonaws.sqs#" + f.code
}

// The older protocol's name, by which SDKs still know an error.
func (f failure) queryCode() string {
	switch f.code {
	case "QueueDoesNotExist":
		return "AWS.SimpleQueueService.NonExistentQueue"
	case "QueueNameExists":
		return "QueueAlreadyExists"
	case "BatchEntryIdsNotDistinct", "BatchRequestTooLong", "EmptyBatchRequest", "InvalidBatchEntryId",
		"TooManyEntriesInBatchRequest", "UnsupportedOperation":
		return "AWS.SimpleQueueService." + f.code
	}
	return f.code
}
