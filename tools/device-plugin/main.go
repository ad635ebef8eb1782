// Command device-plugin tells a kubelet of GPUs that are not there, for the node of this repository: what
// is scheduled, counted and refused by them is real, and no device is handed to a container.
//
//	device-plugin COUNT
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const (
	resource = "nvidia.com/gpu"
	socket   = api.DevicePluginPath + "fake-gpu.sock"
)

type plugin struct {
	api.UnimplementedDevicePluginServer
	devices []*api.Device
}

func (p *plugin) GetDevicePluginOptions(context.Context, *api.Empty) (*api.DevicePluginOptions, error) {
	return &api.DevicePluginOptions{}, nil
}

func (p *plugin) ListAndWatch(_ *api.Empty, stream api.DevicePlugin_ListAndWatchServer) error {
	if err := stream.Send(&api.ListAndWatchResponse{Devices: p.devices}); err != nil {
		return err
	}
	<-stream.Context().Done()
	return nil
}

func (p *plugin) Allocate(_ context.Context, request *api.AllocateRequest) (*api.AllocateResponse, error) {
	answer := &api.AllocateResponse{}
	for _, each := range request.ContainerRequests {
		log.Printf("allocated %v", each.DevicesIds)
		answer.ContainerResponses = append(answer.ContainerResponses, &api.ContainerAllocateResponse{})
	}
	return answer, nil
}

func main() {
	count, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	p := &plugin{}
	for i := range count {
		p.devices = append(p.devices, &api.Device{ID: fmt.Sprintf("fake-%d", i), Health: api.Healthy})
	}
	for {
		if err := p.serve(); err != nil {
			log.Print(err)
		}
		time.Sleep(time.Second)
	}
}

// serve registers the devices, and returns once the kubelet has deleted the socket: it does that to every
// plugin when it starts, and expects it to come back.
func (p *plugin) serve() error {
	_ = os.Remove(socket)
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	defer server.Stop()
	api.RegisterDevicePluginServer(server, p)
	go server.Serve(listener)
	if err := p.register(); err != nil {
		return err
	}
	log.Printf("%d of %s", len(p.devices), resource)
	for {
		if _, err := os.Stat(socket); err != nil {
			return nil
		}
		time.Sleep(time.Second)
	}
}

func (p *plugin) register() error {
	connection, err := grpc.NewClient("unix://"+api.KubeletSocket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err = api.NewRegistrationClient(connection).Register(ctx, &api.RegisterRequest{
		Version: api.Version, Endpoint: filepath.Base(socket), ResourceName: resource,
	})
	return err
}
