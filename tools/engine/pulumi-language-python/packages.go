package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// findPlugins lists the installed packages that carry a pulumi-plugin.json.
//
//go:embed find_plugins.py
var findPlugins string

// installedPlugin is one package in the answer of findPlugins.
type installedPlugin struct {
	// File is the path of its pulumi-plugin.json.
	File string `json:"file"`
	// Version is the version of the distribution, if known.
	Version string `json:"version"`
}

// GetRequiredPackages names the provider plugins that the program's packages need: those of the
// installed packages whose pulumi-plugin.json says "resource": true. The name of a package plays
// no role, so an ordinary library called pulumi-something asks for no plugin.
func (h *host) GetRequiredPackages(
	requestCtx context.Context, request *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	ctx, done := h.bind(requestCtx)
	defer done()
	tools, err := resolveValid(ctx, request.GetInfo())
	if err != nil {
		return nil, err
	}
	cmd, err := tools.Command(ctx, "-c", findPlugins)
	if err != nil {
		return nil, err
	}
	cmd.Env, err = environment(ctx, tools, nil, nil)
	if err != nil {
		return nil, err
	}
	cmd.Dir = request.GetInfo().GetProgramDirectory()
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing the installed packages with %s: %w", cmd.Path, withStderr(err))
	}
	var found []installedPlugin
	if err := json.Unmarshal(output, &found); err != nil {
		return nil, fmt.Errorf("listing the installed packages with %s: %w", cmd.Path, err)
	}
	response := &pulumirpc.GetRequiredPackagesResponse{}
	for _, candidate := range found {
		dependency, err := dependencyOf(candidate)
		if err != nil {
			return nil, err
		}
		if dependency != nil {
			response.Packages = append(response.Packages, dependency)
		}
	}
	return response, nil
}

// dependencyOf reads a package's pulumi-plugin.json. It is nil for a package without a provider.
func dependencyOf(found installedPlugin) (*pulumirpc.PackageDependency, error) {
	about, err := plugin.LoadPulumiPluginJSON(found.File)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", found.File, err)
	}
	if !about.Resource {
		return nil, nil
	}
	name := about.Name
	if name == "" {
		folder := filepath.Base(filepath.Dir(found.File))
		name = strings.ReplaceAll(strings.TrimPrefix(folder, "pulumi_"), "_", "-")
	}
	version := about.Version
	if version == "" {
		if parsed, err := toolchain.ParsePythonVersion(found.Version); err == nil {
			version = parsed.String()
		}
	}
	return &pulumirpc.PackageDependency{
		Name:             name,
		Kind:             "resource",
		Version:          version,
		Server:           about.Server,
		Parameterization: parameterization(about.Parameterization),
		Extension:        parameterization(about.ExtensionParameterization),
	}, nil
}

func parameterization(from *plugin.PulumiParameterizationJSON) *pulumirpc.PackageParameterization {
	if from == nil {
		return nil
	}
	return &pulumirpc.PackageParameterization{
		Name: from.Name, Version: from.Version, Value: from.Value,
	}
}

// withStderr adds what a failed command wrote to standard error.
func withStderr(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	return err
}
