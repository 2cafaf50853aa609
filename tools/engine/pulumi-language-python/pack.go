package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// runPack runs a policy pack behind a proxy. The proxy is there because the Python policy library
// takes the stack's name and config from its environment, which the engine only tells once it is
// connected.
func runPack(
	ctx context.Context, tools toolchain.Toolchain, request *pulumirpc.RunPluginRequest,
	stdout, stderr io.Writer,
) error {
	proxy, packStdout, err := sdk.NewPolicyProxy(ctx, stdout)
	if err != nil {
		return err
	}
	stack, err := proxy.AwaitConfiguration(ctx)
	if err != nil {
		return err
	}
	extra := map[string]string{}
	if stack != nil {
		extra, err = configVariables(stack.GetConfig(), stack.GetConfigSecretKeys())
		if err != nil {
			return err
		}
		extra["PULUMI_PROJECT"] = stack.GetProject()
		extra["PULUMI_STACK"] = stack.GetStack()
		extra["PULUMI_ORGANIZATION"] = stack.GetOrganization()
		extra["PULUMI_DRY_RUN"] = strconv.FormatBool(stack.GetDryRun())
	}
	args := append([]string{"-u", "-m", "pulumi.policy"}, request.GetArgs()...)
	args = append(args, request.GetInfo().GetProgramDirectory())
	cmd, err := pluginCommand(ctx, tools, request, args, extra)
	if err != nil {
		return err
	}
	cmd.Dir = request.GetInfo().GetProgramDirectory()
	start := newPackStart(packStdout, stderr)
	cmd.Stdout, cmd.Stderr = start.stdout(), start.stderr()
	isolate(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	defer reap(cmd)
	defer start.close()
	return proxy.Attach(ctx, cmd)
}

// packStart passes on the output of a policy pack and looks at how it starts. The proxy reads the
// pack's port from its first line and would say of a pack without one no more than that a pipe is
// closed. So packStart ends the proxy's reading with an error that says what happened.
type packStart struct {
	toProxy, toEngine io.Writer

	// over is closed when the proxy has given up, or the pack has ended.
	over chan struct{}
	once sync.Once
	// stderrEnd is closed at the end of the pack's standard error.
	stderrEnd chan struct{}

	mu       sync.Mutex
	lastLine string
}

func newPackStart(toProxy, toEngine io.Writer) *packStart {
	return &packStart{
		toProxy: toProxy, toEngine: toEngine,
		over: make(chan struct{}), stderrEnd: make(chan struct{}),
	}
}

// close says that the proxy is not reading any more.
func (s *packStart) close() {
	s.once.Do(func() { close(s.over) })
}

func (s *packStart) stdout() io.Writer { return &copier{s.toProxy, s.copyStdout} }
func (s *packStart) stderr() io.Writer { return &copier{s.toEngine, s.copyStderr} }

func (s *packStart) copyStdout(from io.Reader) (int64, error) {
	reader := bufio.NewReader(from)
	first, err := reader.ReadString('\n')
	if _, invalid := strconv.Atoi(strings.TrimSpace(first)); invalid == nil {
		if _, err := io.WriteString(s.toProxy, first); err != nil {
			return 0, err
		}
		return io.Copy(s.toProxy, reader)
	}
	if pipe, isPipe := s.toProxy.(*io.PipeWriter); isPipe {
		pipe.CloseWithError(s.failure(first, err))
	}
	// The end of this copy ends the wait for the process, upon which the proxy closes the pipe
	// without an error: not before it has read the one above.
	s.await(s.over)
	return 0, nil
}

// failure describes a pack whose first line of output is no port.
func (s *packStart) failure(first string, readErr error) error {
	if first = strings.TrimSpace(first); first != "" {
		return fmt.Errorf("the pack printed %q before it called PolicyPack, where it may print nothing", first)
	}
	if readErr == nil {
		return errors.New("the pack printed an empty line before it called PolicyPack")
	}
	s.await(s.stderrEnd)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lastLine == "" {
		return errors.New("the pack ended without calling PolicyPack")
	}
	return fmt.Errorf("the pack ended before it called PolicyPack: %s", s.lastLine)
}

func (s *packStart) copyStderr(from io.Reader) (int64, error) {
	defer close(s.stderrEnd)
	reader := bufio.NewReader(from)
	var total int64
	for {
		line, err := reader.ReadString('\n')
		if text := strings.TrimSpace(line); text != "" {
			s.mu.Lock()
			s.lastLine = text
			s.mu.Unlock()
		}
		written, writeErr := io.WriteString(s.toEngine, line)
		total += int64(written)
		if writeErr != nil || errors.Is(err, io.EOF) {
			return total, writeErr
		}
		if err != nil {
			return total, err
		}
	}
}

func (s *packStart) await(event <-chan struct{}) {
	select {
	case <-event:
	case <-time.After(killDelay):
	}
}

// copier is a writer that does the whole copying of a command's output itself.
type copier struct {
	io.Writer
	readFrom func(io.Reader) (int64, error)
}

// ReadFrom implements io.ReaderFrom, which package os/exec makes use of.
func (c *copier) ReadFrom(from io.Reader) (int64, error) { return c.readFrom(from) }
