// Pubsub-standin stands in for Pub/Sub: topics, pull subscriptions and their leases in memory, over gRPC, with the service's
// limits and with faults that are asked for on a port of their own. It keeps nothing when it ends, and knows no streaming pull,
// push, filter, schema or replay.
//
// The server is our own because pstest, Google's fake, is none for these tests: it drops what is older than ten minutes,
// gives one message of an ordering key a pull, publishes a dead letter again each time that it is acknowledged, takes any
// acknowledgement of an exactly-once subscription, looks for new messages only every half second, and walks through all that
// waits at each pull. It is here as a second opinion: -engine pstest.
//
//	pubsub-standin -port PORT -admin PORT [-engine pstest]
package main

import (
	"flag"
	"log"
	"net"
	"net/http"
	"strconv"
	"time"

	"cloud.google.com/go/iam/apiv1/iampb"
	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

func main() {
	port := flag.Int("port", 0, "port of Pub/Sub on 127.0.0.1")
	adminPort := flag.Int("admin", 0, "port of faults and statistics on 127.0.0.1")
	engine := flag.String("engine", "own", "own, or pstest")
	flag.Parse()
	rules, seen := &faults{}, &calls{}
	// Messages of 10 MB and what is more are refused by the service's own rules, not by those of gRPC.
	server := grpc.NewServer(grpc.MaxRecvMsgSize(64<<20), grpc.MaxSendMsgSize(64<<20),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
		grpc.StatsHandler(delivered{}),
		grpc.ChainUnaryInterceptor(seen.unary, rules.unary, limits))
	engines := map[string]func(*grpc.Server, *faults) backlog{"own": serveOwn, "pstest": servePstest}
	serve, known := engines[*engine]
	if !known {
		log.Fatalf("there is no engine %s", *engine)
	}
	backlog := serve(server, rules)
	iampb.RegisterIAMPolicyServer(server, &iam{rules: rules})
	pubsub, admin := listen(*port), listen(*adminPort)
	go func() { log.Fatal(http.Serve(admin, adminOf(rules, seen, backlog))) }()
	log.Printf("listening on %s, admin on http://%s", pubsub.Addr(), admin.Addr())
	log.Fatal(server.Serve(pubsub))
}

func serveOwn(to *grpc.Server, rules *faults) backlog {
	s := newServer(rules)
	pb.RegisterPublisherServer(to, s.publisher())
	pb.RegisterSubscriberServer(to, s.subscriber())
	return s
}

func listen(port int) net.Listener {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		log.Fatal(err)
	}
	return listener
}
