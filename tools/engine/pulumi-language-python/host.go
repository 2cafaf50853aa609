package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

// host implements the language runtime service for Python.
type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer

	// lifetime ends when the host has to stop.
	lifetime context.Context
	// processes counts the programs, packs and plugins that are running.
	processes sync.WaitGroup

	mu sync.Mutex
	// engine is the address of the engine's gRPC server.
	engine string
	// programs holds the cancel function of each running program.
	programs map[int]context.CancelFunc
	nextID   int
}

func newHost(lifetime context.Context, engine string) *host {
	return &host{lifetime: lifetime, engine: engine, programs: map[int]context.CancelFunc{}}
}

// Handshake takes the engine's address where the engine attached to a host that was running.
func (h *host) Handshake(
	_ context.Context, request *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.engine = request.GetEngineAddress()
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

// GetPluginInfo reports the version of the Pulumi libraries that the host is built on.
func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version.Version}, nil
}

// Cancel ends the running programs. Policy packs and plugins go on: the engine has asked them to
// stop by a call of their own, may still wait for what they have begun, and closes them itself.
func (h *host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, cancel := range h.programs {
		cancel()
	}
	return &emptypb.Empty{}, nil
}

// InstallDependencies creates the virtual environment and installs what the project asks for.
func (h *host) InstallDependencies(
	request *pulumirpc.InstallDependenciesRequest,
	server pulumirpc.LanguageRuntime_InstallDependenciesServer,
) error {
	ctx, done := h.bind(server.Context())
	defer done()
	tools, err := resolve(request.GetInfo(), request.GetIsPlugin())
	if err != nil {
		return err
	}
	closer, stdout, stderr, err := rpcutil.MakeInstallDependenciesStreams(
		server, request.GetIsTerminal())
	if err != nil {
		return err
	}
	defer closer.Close()
	if err := tools.InstallDependencies(
		ctx, request.GetInfo().GetProgramDirectory(), request.GetUseLanguageVersionTools(),
		true, stdout, stderr,
	); err != nil {
		return fmt.Errorf("installing the dependencies: %w", err)
	}
	return closer.Close()
}

// GetProgramDependencies lists the Python packages that are installed for a program.
func (h *host) GetProgramDependencies(
	ctx context.Context, request *pulumirpc.GetProgramDependenciesRequest,
) (*pulumirpc.GetProgramDependenciesResponse, error) {
	tools, err := resolveValid(ctx, request.GetInfo())
	if err != nil {
		return nil, err
	}
	packages, err := tools.ListPackages(ctx, request.GetTransitiveDependencies())
	if err != nil {
		return nil, err
	}
	dependencies := make([]*pulumirpc.DependencyInfo, 0, len(packages))
	for _, p := range packages {
		dependencies = append(
			dependencies, &pulumirpc.DependencyInfo{Name: p.Name, Version: p.Version})
	}
	return &pulumirpc.GetProgramDependenciesResponse{Dependencies: dependencies}, nil
}

// About describes the Python that runs the program.
func (h *host) About(
	ctx context.Context, request *pulumirpc.AboutRequest,
) (*pulumirpc.AboutResponse, error) {
	tools, err := resolve(request.GetInfo(), false)
	if err != nil {
		return nil, err
	}
	info, err := tools.About(ctx)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.AboutResponse{
		Executable: info.PythonExecutable,
		Version:    info.PythonVersion.String(),
		Metadata:   map[string]string{"toolchainVersion": info.ToolchainVersion.String()},
	}, nil
}

// bind returns a context that ends with the request or with the host, whichever comes first, and
// counts it among the processes until the returned function is called.
func (h *host) bind(request context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(request)
	unlink := context.AfterFunc(h.lifetime, cancel)
	h.processes.Add(1)
	return ctx, func() {
		unlink()
		cancel()
		h.processes.Done()
	}
}

// bindProgram is bind for a program, which Cancel can end too.
func (h *host) bindProgram(request context.Context) (context.Context, context.CancelFunc) {
	ctx, done := h.bind(request)
	ctx, cancel := context.WithCancel(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	id := h.nextID
	h.nextID++
	h.programs[id] = cancel
	return ctx, func() {
		h.mu.Lock()
		delete(h.programs, id)
		h.mu.Unlock()
		cancel()
		done()
	}
}

// engineServer is the address of the engine's gRPC server.
func (h *host) engineServer() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.engine
}

// entryPoint is the path of what Python has to run.
func entryPoint(info *pulumirpc.ProgramInfo) string {
	return filepath.Join(info.GetProgramDirectory(), info.GetEntryPoint())
}
