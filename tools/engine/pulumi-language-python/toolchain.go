package main

import (
	"context"
	"fmt"
	"path/filepath"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// pluginVirtualenv is the folder in which plugins and policy packs without the option keep theirs.
const pluginVirtualenv = "venv"

// options reads runtime.options. A relative virtualenv counts from the folder of the project file.
func options(info *pulumirpc.ProgramInfo, isPlugin bool) (toolchain.PythonOptions, error) {
	result := toolchain.PythonOptions{
		Root:       info.GetRootDirectory(),
		ProgramDir: info.GetProgramDirectory(),
	}
	given := info.GetOptions().AsMap()
	if value, ok := given["virtualenv"]; ok {
		text, isText := value.(string)
		if !isText {
			return result, fmt.Errorf("runtime option 'virtualenv' must be a text, not %v", value)
		}
		result.Virtualenv = text
	} else if isPlugin {
		result.Virtualenv = pluginVirtualenv
	}
	switch value := given["toolchain"]; value {
	case nil, "", "auto":
		result.Toolchain = toolchain.Auto
	case "pip":
		result.Toolchain = toolchain.Pip
	case "poetry":
		result.Toolchain = toolchain.Poetry
	case "uv":
		result.Toolchain = toolchain.Uv
	default:
		return result, fmt.Errorf(
			"runtime option 'toolchain' must be pip, poetry, uv or auto, not %v", value)
	}
	return result, nil
}

// resolve finds the toolchain that runtime.options asks for, whether or not it is installed yet.
func resolve(info *pulumirpc.ProgramInfo, isPlugin bool) (toolchain.Toolchain, error) {
	found, err := options(info, isPlugin)
	if err != nil {
		return nil, err
	}
	return toolchain.ResolveToolchain(found)
}

// resolveValid is resolve for a program whose virtual environment has to exist.
func resolveValid(ctx context.Context, info *pulumirpc.ProgramInfo) (toolchain.Toolchain, error) {
	found, err := options(info, false)
	if err != nil {
		return nil, err
	}
	return validated(ctx, found)
}

// resolvePlugin is resolve for a plugin or a policy pack that is about to run. Without the option
// it takes the folder "venv" where that exists, else the Python on PATH.
func resolvePlugin(ctx context.Context, info *pulumirpc.ProgramInfo) (toolchain.Toolchain, error) {
	found, err := options(info, false)
	if err != nil {
		return nil, err
	}
	if found.Virtualenv == "" &&
		toolchain.IsVirtualEnv(filepath.Join(found.Root, pluginVirtualenv)) {
		found.Virtualenv = pluginVirtualenv
	}
	return validated(ctx, found)
}

func validated(
	ctx context.Context, found toolchain.PythonOptions,
) (toolchain.Toolchain, error) {
	tools, err := toolchain.ResolveToolchain(found)
	if err != nil {
		return nil, err
	}
	invalid := tools.ValidateVenv(ctx)
	if invalid == nil {
		return tools, nil
	}
	if found.Virtualenv == "" {
		return nil, invalid
	}
	path := found.Virtualenv
	if !filepath.IsAbs(path) {
		path = filepath.Join(found.Root, path)
	}
	return nil, fmt.Errorf(
		"runtime option 'virtualenv' is %q, but %s holds no virtual environment: create it with "+
			"'pulumi install' in %s, or correct the option",
		found.Virtualenv, path, found.Root)
}
