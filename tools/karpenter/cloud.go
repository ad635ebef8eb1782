package main

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/awslabs/operatorpkg/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/karpenter/kwok/apis/v1alpha1"
	kwok "sigs.k8s.io/karpenter/kwok/cloudprovider"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
)

const (
	// How long a machine takes from its launch until its node appears, such as 90s.
	registrationDelay = "NODE_REGISTRATION_DELAY"
	// A file with one INSTANCE_TYPE/CAPACITY_TYPE a line, of which the cloud has none left. It is
	// read again at every decision, so that capacity can run out and come back.
	soldOutFile = "SOLD_OUT_FILE"
)

// cloud is the kwok provider behind the node classes of real clouds.
type cloud struct {
	*kwok.CloudProvider
}

func newCloud(ctx context.Context, c client.Client, types []*cloudprovider.InstanceType) cloud {
	delay, err := time.ParseDuration(os.Getenv(registrationDelay))
	if err != nil {
		delay = 0
	}
	return cloud{kwok.NewCloudProvider(ctx, nodeClassClient{c, delay}, types)}
}

func (c cloud) GetSupportedNodeClasses() []status.Object {
	return nodeClasses()
}

// GetInstanceTypes marks what is sold out, as a provider does after the cloud has said so.
func (c cloud) GetInstanceTypes(
	ctx context.Context, pool *v1.NodePool,
) ([]*cloudprovider.InstanceType, error) {
	all, err := c.CloudProvider.GetInstanceTypes(ctx, pool)
	if err != nil {
		return nil, err
	}
	soldOut, err := readSoldOut()
	if err != nil || len(soldOut) == 0 {
		return all, err
	}
	left := make([]*cloudprovider.InstanceType, 0, len(all))
	for _, each := range all {
		left = append(left, &cloudprovider.InstanceType{
			Name:         each.Name,
			Requirements: each.Requirements,
			Offerings:    leftOf(each, soldOut),
			Capacity:     each.Capacity,
			Overhead:     each.Overhead,
		})
	}
	return left, nil
}

func leftOf(each *cloudprovider.InstanceType, soldOut map[string]bool) cloudprovider.Offerings {
	var offerings cloudprovider.Offerings
	for _, offering := range each.Offerings {
		name := each.Name + "/" + offering.Requirements.Get(v1.CapacityTypeLabelKey).Any()
		offerings = append(offerings, &cloudprovider.Offering{
			Requirements:        offering.Requirements,
			Price:               offering.Price,
			Available:           offering.Available && !soldOut[name],
			ReservationCapacity: offering.ReservationCapacity,
		})
	}
	return offerings
}

func readSoldOut() (map[string]bool, error) {
	file, err := os.Open(os.Getenv(soldOutFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	soldOut := map[string]bool{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		soldOut[strings.TrimSpace(lines.Text())] = true
	}
	return soldOut, lines.Err()
}

// nodeClassClient answers the kwok provider's question for a node class of its own kind: there is
// none, and all that it wants to know is the delay. Whether the real one is there and ready is
// checked by Karpenter before.
type nodeClassClient struct {
	client.Client
	delay time.Duration
}

func (c nodeClassClient) Get(
	ctx context.Context, key client.ObjectKey, object client.Object, options ...client.GetOption,
) error {
	class, ok := object.(*v1alpha1.KWOKNodeClass)
	if !ok {
		return c.Client.Get(ctx, key, object, options...)
	}
	class.Name = key.Name
	class.Spec.NodeRegistrationDelay = metav1.Duration{Duration: c.delay}
	return nil
}
