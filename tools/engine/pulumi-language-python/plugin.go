package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/BurntSushi/toml"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// analyzerKind is the engine's name for policy packs.
const analyzerKind = "analyzer"

// RunPlugin runs a policy pack or another plugin and streams its output until it ends.
func (h *host) RunPlugin(
	request *pulumirpc.RunPluginRequest, server pulumirpc.LanguageRuntime_RunPluginServer,
) error {
	if request.GetAttachDebugger() {
		return fmt.Errorf("this Python language host cannot attach a debugger")
	}
	ctx, done := h.bind(server.Context())
	defer done()

	tools, err := resolvePlugin(ctx, request.GetInfo())
	if err != nil {
		return err
	}
	closer, stdout, stderr, err := rpcutil.MakeRunPluginStreams(server, false)
	if err != nil {
		return err
	}
	defer closer.Close()

	if request.GetKind() == analyzerKind {
		err = runPack(ctx, tools, request, stdout, stderr)
	} else {
		err = runPlugin(ctx, tools, request, stdout, stderr)
	}
	if ctx.Err() != nil {
		return nil
	}
	code, exited := exitCode(err)
	if !exited {
		return err
	}
	return server.Send(&pulumirpc.RunPluginResponse{
		Output: &pulumirpc.RunPluginResponse_Exitcode{Exitcode: int32(code)},
	})
}

// runPlugin runs a provider or another plugin: the folder itself where it has a __main__.py, else
// the package that its pyproject.toml builds.
func runPlugin(
	ctx context.Context, tools toolchain.Toolchain, request *pulumirpc.RunPluginRequest,
	stdout, stderr io.Writer,
) error {
	program := entryPoint(request.GetInfo())
	args := []string{"-u", program}
	if name, err := packageName(program); err != nil {
		return err
	} else if name != "" {
		args = []string{"-u", "-m", "pulumi.run.plugin", name}
	}
	cmd, err := pluginCommand(ctx, tools, request, append(args, request.GetArgs()...), nil)
	if err != nil {
		return err
	}
	cmd.Dir = request.GetPwd()
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return execute(cmd)
}

func pluginCommand(
	ctx context.Context, tools toolchain.Toolchain, request *pulumirpc.RunPluginRequest,
	args []string, extra map[string]string,
) (*exec.Cmd, error) {
	cmd, err := tools.Command(ctx, args...)
	if err != nil {
		return nil, err
	}
	cmd.Env, err = environment(ctx, tools, request.GetEnv(), extra)
	return cmd, err
}

// packageName is the name of the package that a folder without a __main__.py builds, or empty if
// the folder itself is what to run.
func packageName(folder string) (string, error) {
	if _, err := os.Stat(filepath.Join(folder, "__main__.py")); err == nil {
		return "", nil
	}
	var manifest struct {
		BuildSystem map[string]any `toml:"build-system"`
		Project     struct {
			Name string `toml:"name"`
		} `toml:"project"`
	}
	path := filepath.Join(folder, "pyproject.toml")
	if _, err := toml.DecodeFile(path, &manifest); errors.Is(err, os.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", fmt.Errorf("reading %s: %w", path, err)
	}
	if manifest.BuildSystem == nil {
		return "", nil
	}
	return manifest.Project.Name, nil
}
