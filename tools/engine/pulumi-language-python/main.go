// Command pulumi-language-python serves Python programs, policy packs and plugins to the Pulumi
// engine. It is built on the libraries of Pulumi's sdk/v3 and runs on Linux and macOS.
//
// The engine starts it with its own address as the last argument and reads the port of the gRPC
// server from the first line of standard output.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

const (
	// healthInterval is how often the engine is asked whether it still runs.
	healthInterval = time.Second
	// shutdownGrace is how long a stopping host waits for its answers to be sent. The engine
	// kills a host that takes five seconds.
	shutdownGrace = time.Second
)

func main() {
	if err := serve(engineAddress(os.Args[1:])); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-language-python:", err)
		os.Exit(1)
	}
}

// engineAddress finds the engine's address among the arguments: the last one that is no flag.
func engineAddress(args []string) string {
	if len(args) == 0 || strings.HasPrefix(args[len(args)-1], "-") {
		return ""
	}
	return args[len(args)-1]
}

// serve answers the engine until it goes away or sends a signal. Every process that the host
// started has ended when serve returns.
func serve(engine string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if engine != "" {
		if err := rpcutil.Healthcheck(ctx, engine, healthInterval, stop); err != nil {
			return fmt.Errorf("watching the engine at %s: %w", engine, err)
		}
	}

	h := newHost(ctx, engine)
	stopServer := make(chan bool)
	server, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: stopServer,
		Init: func(s *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(s, h)
			return nil
		},
		Options: rpcutil.TracingServerInterceptorOptions(nil),
	})
	if err != nil {
		return err
	}
	fmt.Println(server.Port)

	select {
	case err := <-server.Done:
		return err
	case <-ctx.Done():
	}
	h.processes.Wait()
	close(stopServer)
	select {
	case err := <-server.Done:
		return err
	case <-time.After(shutdownGrace):
		return nil
	}
}
