package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

const (
	// executor is the script beside the host that prepares the SDK and runs a program.
	executor = "pulumi-language-python-exec"
	// reported is the executor's exit status for an error that the user has been shown.
	reported = 32
)

// Run runs a program and waits for its end. What it prints goes to the host's own output, which
// the engine shows.
func (h *host) Run(
	requestCtx context.Context, request *pulumirpc.RunRequest,
) (*pulumirpc.RunResponse, error) {
	if request.GetAttachDebugger() {
		return nil, fmt.Errorf("this Python language host cannot attach a debugger")
	}
	ctx, done := h.bindProgram(requestCtx)
	defer done()

	tools, err := resolveValid(ctx, request.GetInfo())
	if err != nil {
		return nil, err
	}
	args, err := h.executorArgs(request)
	if err != nil {
		return nil, err
	}
	extra, err := configVariables(request.GetConfig(), request.GetConfigSecretKeys())
	if err != nil {
		return nil, err
	}
	cmd, err := tools.Command(ctx, args...)
	if err != nil {
		return nil, err
	}
	cmd.Env, err = environment(ctx, tools, nil, extra)
	if err != nil {
		return nil, err
	}
	cmd.Dir = request.GetPwd()
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr

	err = execute(cmd)
	if ctx.Err() != nil {
		// The engine knows that it cancelled the run: there is nothing to tell it.
		return &pulumirpc.RunResponse{Bail: true}, nil
	}
	code, exited := exitCode(err)
	switch {
	case !exited:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program did not end well: %v", err)}, nil
	case code == reported:
		return &pulumirpc.RunResponse{Bail: true}, nil
	case code != 0:
		return &pulumirpc.RunResponse{
			Error: fmt.Sprintf("the program ended with exit status %d", code),
		}, nil
	}
	return &pulumirpc.RunResponse{}, nil
}

// executorArgs are Python's arguments for running the requested program.
func (h *host) executorArgs(request *pulumirpc.RunRequest) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if resolved, err := filepath.EvalSymlinks(self); err == nil {
		self = resolved
	}
	// Unbuffered, so that the engine shows what the program prints when it is printed.
	args := []string{"-u", filepath.Join(filepath.Dir(self), executor)}
	for _, option := range [][2]string{
		{"--monitor", request.GetMonitorAddress()},
		{"--engine", h.engineServer()},
		{"--project", request.GetProject()},
		{"--root_directory", request.GetInfo().GetRootDirectory()},
		{"--stack", request.GetStack()},
		{"--pwd", request.GetPwd()},
		{"--dry_run", strconv.FormatBool(request.GetDryRun())},
		{"--parallel", strconv.Itoa(int(request.GetParallel()))},
		{"--organization", request.GetOrganization()},
	} {
		if option[1] != "" {
			args = append(args, option[0], option[1])
		}
	}
	args = append(args, entryPoint(request.GetInfo()))
	return append(args, request.GetArgs()...), nil
}

// configVariables carry a stack's config to a process. Empty ones are left out, because the SDK
// does not accept a JSON null for them.
func configVariables(config map[string]string, secretKeys []string) (map[string]string, error) {
	variables := map[string]string{}
	if len(config) > 0 {
		text, err := json.Marshal(config)
		if err != nil {
			return nil, fmt.Errorf("encoding the stack's config: %w", err)
		}
		variables["PULUMI_CONFIG"] = string(text)
	}
	if len(secretKeys) > 0 {
		text, err := json.Marshal(secretKeys)
		if err != nil {
			return nil, fmt.Errorf("encoding the keys of the stack's secrets: %w", err)
		}
		variables["PULUMI_CONFIG_SECRET_KEYS"] = string(text)
	}
	return variables, nil
}
