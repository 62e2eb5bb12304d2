"""A stand-in for `pulumi-resource-kubernetes`, for the embedded cluster only.

Used where the genuine plugin can be neither found nor downloaded (`devcluster.plugin_choice`). It refuses every
cluster that devcluster did not start, and says what it is at the beginning of each update. Type tokens, inputs,
outputs, ids and annotations are those of the genuine provider v4. It differs in this:

- No Helm charts or releases, YAML or kustomize files, `*Patch` and `*List` resources, functions (invokes), client-side
  apply, or rendering to a directory: each is refused with a sentence. `pulumi:autonaming` settings have no effect.
- Waits for Deployment, StatefulSet, DaemonSet, Job, Pod, PersistentVolumeClaim, CustomResourceDefinition and
  `pulumi.com/waitFor`. The genuine provider also waits for Services to have endpoints and for Ingresses.
- `pulumi.com/waitFor` takes jsonpaths without filters and wildcards.
- The field manager is derived from the resource's URN instead of drawn at random, so that the next update recognises
  and resumes a creation that was killed before it was recorded.
- Drift made with kubectl is overwritten by `up`, with a line in the log; the genuine provider reports a conflict unless
  `pulumi.com/patchForce` is set. Conflicts with other managers are refused by both (see `applying`).
- An object whose namespace is created in the same update is validated at preview all the same, in another namespace.
- After a refresh only the fields of the program count; defaults and other spellings of a value are never drift.

As with the genuine provider, a ConfigMap or Secret is *replaced* when its data changes, unless
`kubernetes:enableConfigMapMutable` or `kubernetes:enableSecretMutable` is set (see `immutable`).

Where to look: `provider` has the operations, `server` the gRPC side; `inputs`, `diff`, `immutable`, `drift`, `imported`
and `outputs` are pure functions over `values`; `applying`, `waiting` and `deletion` talk to the cluster through `api`.
"""
