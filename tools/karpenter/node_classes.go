package main

import (
	"github.com/awslabs/operatorpkg/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// nodeClass is the part of a cloud's node class that Karpenter itself looks at. Its fields for the
// cloud lie in the API server, checked by that cloud's own definition, and mean nothing here.
type nodeClass struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Status            nodeClassStatus `json:"status,omitempty"`
}

type nodeClassStatus struct {
	Conditions []status.Condition `json:"conditions,omitempty"`
}

// EC2NodeClass is AWS's, karpenter.k8s.aws/v1. One more cloud is two more types like these, because
// Kubernetes' libraries know a kind by its Go type.
type EC2NodeClass struct {
	nodeClass `json:",inline"`
}

// EC2NodeClassList is a list of them.
type EC2NodeClassList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []EC2NodeClass `json:"items"`
}

// AKSNodeClass is Azure's, karpenter.azure.com/v1beta1.
type AKSNodeClass struct {
	nodeClass `json:",inline"`
}

// AKSNodeClassList is a list of them.
type AKSNodeClassList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AKSNodeClass `json:"items"`
}

func init() {
	register("karpenter.k8s.aws", "v1", &EC2NodeClass{}, &EC2NodeClassList{})
	register("karpenter.azure.com", "v1beta1", &AKSNodeClass{}, &AKSNodeClassList{})
}

func register(group, version string, types ...runtime.Object) {
	groupVersion := schema.GroupVersion{Group: group, Version: version}
	metav1.AddToGroupVersion(scheme.Scheme, groupVersion)
	scheme.Scheme.AddKnownTypes(groupVersion, types...)
}

func nodeClasses() []status.Object {
	return []status.Object{&EC2NodeClass{}, &AKSNodeClass{}}
}

func (in *nodeClass) GetConditions() []status.Condition {
	return in.Status.Conditions
}

func (in *nodeClass) SetConditions(conditions []status.Condition) {
	in.Status.Conditions = conditions
}

func (in *EC2NodeClass) StatusConditions(options ...status.ForOption) status.ConditionSet {
	return status.NewReadyConditions().For(in, options...)
}

func (in *AKSNodeClass) StatusConditions(options ...status.ForOption) status.ConditionSet {
	return status.NewReadyConditions().For(in, options...)
}

func (in *nodeClass) copy() nodeClass {
	out := nodeClass{TypeMeta: in.TypeMeta}
	in.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Status.Conditions = append([]status.Condition(nil), in.Status.Conditions...)
	return out
}

func (in *EC2NodeClass) DeepCopyObject() runtime.Object {
	return &EC2NodeClass{in.copy()}
}

func (in *AKSNodeClass) DeepCopyObject() runtime.Object {
	return &AKSNodeClass{in.copy()}
}

func (in *EC2NodeClassList) DeepCopyObject() runtime.Object {
	out := &EC2NodeClassList{TypeMeta: in.TypeMeta}
	in.ListMeta.DeepCopyInto(&out.ListMeta)
	for index := range in.Items {
		out.Items = append(out.Items, EC2NodeClass{in.Items[index].copy()})
	}
	return out
}

func (in *AKSNodeClassList) DeepCopyObject() runtime.Object {
	out := &AKSNodeClassList{TypeMeta: in.TypeMeta}
	in.ListMeta.DeepCopyInto(&out.ListMeta)
	for index := range in.Items {
		out.Items = append(out.Items, AKSNodeClass{in.Items[index].copy()})
	}
	return out
}
