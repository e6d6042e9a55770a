// Sqsmem stands in for SQS where its speed would be what a benchmark measures: standard queues in memory, AWS's JSON
// protocol and its errors. It keeps nothing, checks no signature, and lets no retention pass.
//
//	sqsmem -port PORT [-in-flight N]
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// A request holds no more than a batch, with the quotation marks that JSON escapes and Base64 in it.
const maxRequestBytes = 16 * maxMessageBytes

func main() {
	port := flag.Int("port", 0, "port on 127.0.0.1")
	inFlight := flag.Int("in-flight", 120_000, "how many messages of a queue may be in flight; over it a receive returns nothing")
	flag.Parse()
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(*port)))
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on http://%s", listener.Addr())
	log.Fatal(http.Serve(listener, &server{queues: map[string]*queue{}, inFlight: *inFlight}))
}

type server struct {
	mu       sync.RWMutex
	queues   map[string]*queue
	inFlight int
}

type operation func(s *server, r *http.Request, in *request) (any, error)

var operations = map[string]operation{
	"CreateQueue":                  (*server).createQueue,
	"DeleteQueue":                  (*server).deleteQueue,
	"GetQueueUrl":                  (*server).getQueueURL,
	"ListQueues":                   (*server).listQueues,
	"GetQueueAttributes":           (*server).getQueueAttributes,
	"SetQueueAttributes":           (*server).setQueueAttributes,
	"PurgeQueue":                   (*server).purgeQueue,
	"SendMessage":                  (*server).sendMessage,
	"SendMessageBatch":             (*server).sendMessageBatch,
	"ReceiveMessage":               (*server).receiveMessage,
	"DeleteMessage":                (*server).deleteMessage,
	"DeleteMessageBatch":           (*server).deleteMessageBatch,
	"ChangeMessageVisibility":      (*server).changeVisibility,
	"ChangeMessageVisibilityBatch": (*server).changeVisibilityBatch,
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Read to its end: only then does the server notice a client that goes away in a long poll.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBytes))
	if err != nil {
		answer(w, nil, invalid("the request cannot be read: %v", err))
		return
	}
	name := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	run, known := operations[name]
	if !known {
		answer(w, nil, failure{code: "UnsupportedOperation", text: fmt.Sprintf("sqsmem has no operation %q", name)})
		return
	}
	var in request
	if err := json.Unmarshal(body, &in); err != nil {
		answer(w, nil, failure{code: "SerializationException", text: err.Error()})
		return
	}
	out, err := run(s, r, &in)
	answer(w, out, err)
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func answer(w http.ResponseWriter, out any, err error) {
	status := http.StatusOK
	if err != nil {
		refused := err.(failure)
		status = http.StatusBadRequest
		w.Header().Set("X-Amzn-Query-Error", refused.queryCode()+";Sender")
		out = map[string]string{"__type": refused.typeName(), "message": refused.text}
	}
	buffer := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buffer)
	buffer.Reset()
	if out != nil {
		encoder := json.NewEncoder(buffer)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(out); err != nil {
			log.Print(err)
		}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("Content-Length", strconv.Itoa(buffer.Len()))
	w.WriteHeader(status)
	w.Write(buffer.Bytes()) // where the client has gone, its lease lapses
}
