package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/cmdutil"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// killDelay is how long a process that was asked to end may take before it is killed. It has to
// stay well below the five seconds after which the engine kills the host.
const killDelay = 2 * time.Second

// isolate puts cmd in a process group of its own and lets the end of its context end the group.
//
// The engine stops a host by interrupting the host's process group. A Python program inside that
// group would print a KeyboardInterrupt traceback, and would keep the engine waiting if it caught
// the signal. Outside the group it gets SIGTERM from the host instead, on which Python ends
// without a word.
func isolate(cmd *exec.Cmd) {
	cmdutil.RegisterProcessGroup(cmd)
	cmd.Cancel = func() error { return signalGroup(cmd, syscall.SIGTERM) }
	cmd.WaitDelay = killDelay
}

// reap kills what is left of the group of a command that has ended, or has to.
func reap(cmd *exec.Cmd) {
	_ = signalGroup(cmd, syscall.SIGKILL)
}

func signalGroup(cmd *exec.Cmd, signal syscall.Signal) error {
	if cmd.Process == nil {
		return nil
	}
	if err := syscall.Kill(-cmd.Process.Pid, signal); err != nil {
		if errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		}
		return err
	}
	return nil
}

// execute runs cmd to its end, or to the end of its context, and leaves no process behind.
func execute(cmd *exec.Cmd) error {
	isolate(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	defer reap(cmd)
	return cmd.Wait()
}

// exitCode is the status with which a process ended, if that is what err reports.
func exitCode(err error) (int, bool) {
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return exit.ExitCode(), true
	}
	return 0, err == nil
}

// environment is base, overlaid with extra, with the toolchain's virtual environment activated.
// A nil base stands for the host's own environment.
func environment(
	ctx context.Context, tools toolchain.Toolchain, base []string, extra map[string]string,
) ([]string, error) {
	if base == nil {
		base = os.Environ()
	}
	result := make([]string, 0, len(base)+len(extra))
	for _, entry := range base {
		name, _, valid := strings.Cut(entry, "=")
		if _, replaced := extra[name]; valid && !replaced {
			result = append(result, entry)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		result = append(result, name+"="+extra[name])
	}
	virtualenv, err := tools.VirtualEnvPath(ctx)
	if err != nil {
		return nil, err
	}
	if virtualenv == "" {
		return result, nil
	}
	return toolchain.ActivateVirtualEnv(result, virtualenv), nil
}
