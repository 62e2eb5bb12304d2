// The operators' modules from which only the CRD files are taken; nothing here is ever compiled.
//
// They stand apart from ../go.mod because each asks for its own versions of the Kubernetes libraries: in one module the
// highest would win and the pinned Kubernetes would no longer compile. Nothing imports them, so `go mod tidy` would
// empty this file: to change a version, edit it here, run `go mod download MODULE@VERSION` in this directory with
// GOFLAGS=-mod=mod, and keep go.sum with it.
module mainstay.dev/devcluster/tools/crds

go 1.26.0

require (
	github.com/cert-manager/cert-manager v1.18.2
	github.com/cloudnative-pg/cloudnative-pg v1.30.0
	github.com/cloudnative-pg/plugin-barman-cloud v0.15.0
	github.com/envoyproxy/gateway v1.5.0
	github.com/fluxcd/flagger v1.41.0
	github.com/kedacore/keda/v2 v2.18.0
	github.com/prometheus-operator/prometheus-operator v0.85.0
	sigs.k8s.io/gateway-api v1.4.0
)
