"""What the commands ask of a node. A test holds each document against the schema and its limits."""

from typing import Final

_TASK = "id kind title who service subject state created started ended error result waitsFor resumedFrom"
_REVISION = "kind number who why at versions { service version } deltas { service version }"
_PROVIDER = (
    "name id url profile linked autoUpdate connected checked error window testedBy builds offered { service version }"
)
_SOURCE = "name url ref directory"
_SITE = f"service overlays {{ {_SOURCE} }} macros {{ name value }} watch"
_LOOK = "url ref commit tried seen failed error"
_MOVED = "moved { version base movedBytes fullBytes seconds }"
_STATE = f"instance service phase since desired running committed failed error failures lastExit halted held {_MOVED}"
_INSTANCE = (
    "name id enrolled seen connected revoked labels services due fixed "
    f"awaits {{ service source }} problem clockAheadSeconds states {{ {_STATE} }}"
)
_SERVICE = f"""name developed tagged provider developerDesired clientDesired latestDeveloper latestClient faults
  sources {{ {_SOURCE} }} site {{ {_SITE} }} watched looks {{ {_LOOK} }} running {{ {_STATE} }} task {{ {_TASK} }}
  lastTransfer {{ provider version base movedBytes fullBytes seconds at }} withdrawn {{ version by reason at }}"""
_ALARM = "id kind subject message firstSeen lastSeen count dismissedBy dismissed"
_FAULT = """id service version instance occurred reason exitStatus signal message inProbation putBack uptimeSeconds
  received forwardTo forwarded path { node id received }"""
_AROUND = """host { memoryBytes memoryFreeBytes diskBytes diskFreeBytes oomKills processors load }
  earlier { id occurred version message }"""

STATUS: Final = f"""query {{ node {{ name id key url version }} me {{ name role }} services {{ {_SERVICE} }}
  providers {{ {_PROVIDER} }} consumers {{ name id profile linked seen connected }} instances {{ {_INSTANCE} }}
  tasks(first: 10) {{ {_TASK} }} faults(first: 5) {{ {_FAULT} }} alarms {{ {_ALARM} }} }}"""

ALARMS: Final = f"query {{ alarms {{ {_ALARM} }} }}"
_PIN = "node keyId key seen through changes awaited"
PINS: Final = f"query {{ pins {{ {_PIN} }} }}"
RESET_PIN: Final = f"""mutation ($node: String!, $keyId: String!) {{
  resetPin(node: $node, keyId: $keyId) {{ {_PIN} }} }}"""
DISMISS_ALARM: Final = f"mutation ($id: ID!) {{ dismissAlarm(id: $id) {{ {_ALARM} }} }}"

SERVICES: Final = f"query {{ services {{ {_SERVICE} }} }}"
ADD_SERVICE: Final = f"""mutation ($name: String!, $sources: [GitSourceInput!]!, $tag: Boolean!) {{
  addService(name: $name, sources: $sources, tag: $tag) {{ {_SERVICE} }} }}"""
REMOVE_SERVICE: Final = "mutation ($name: String!) { removeService(name: $name) }"
SET_SITE: Final = f"""mutation ($service: String!, $overlays: [GitSourceInput!]!, $macros: [MacroInput!]!) {{
  setSite(service: $service, overlays: $overlays, macros: $macros) {{ {_SITE} }} }}"""
WATCH_SETTINGS: Final = f"""mutation ($service: String!, $watch: SettingsWatch!) {{
  watchSettings(service: $service, watch: $watch) {{ {_SITE} }} }}"""

BUILD: Final = f"""mutation ($service: String!, $version: String, $comment: String! = "", $on: [String!]) {{
  build(service: $service, version: $version, comment: $comment, on: $on) {{ {_TASK} }} }}"""
REBUILD: Final = f"""mutation ($service: String!, $version: String!, $on: [String!]) {{
  rebuild(service: $service, version: $version, on: $on) {{ {_TASK} }} }}"""
BUILDERS: Final = "query { builders { name kind takes why running most load cpus freeMemoryBytes freeDiskBytes } }"
SET_PROVIDER_BUILDS: Final = f"""mutation ($provider: String!, $builds: Boolean!) {{
  setProviderBuilds(provider: $provider, builds: $builds) {{ {_PROVIDER} }} }}"""
CLIENT_BUILD_ALL: Final = f"mutation {{ clientBuildAll {{ {_TASK} }} }}"
CLIENT_BUILD: Final = f"mutation ($service: String!) {{ clientBuild(service: $service) {{ {_TASK} }} }}"

VERSIONS: Final = """query ($kind: ListKind!, $service: String, $first: Int!) {
  versions(kind: $kind, service: $service, first: $first) {
    kind service version image manifest stored receivedFrom maker makerId created comment sizeBytes entries
    private sources { name url commit } withdrawn { version by reason at } } }"""
YANK: Final = """mutation ($service: String!, $version: String!, $reason: String!) {
  yankVersion(service: $service, version: $version, reason: $reason) { version by reason at } }"""
UNYANK: Final = """mutation ($service: String!, $version: String!) {
  unyankVersion(service: $service, version: $version) }"""

DESIRED: Final = f"query ($kind: ListKind!) {{ desired(kind: $kind) {{ {_REVISION} }} }}"
DESIRED_BOTH: Final = f"""query {{ developer: desired(kind: DEVELOPER) {{ {_REVISION} }}
  client: desired(kind: CLIENT) {{ {_REVISION} }} }}"""
DESIRED_HISTORY: Final = f"""query ($kind: ListKind!, $first: Int!, $before: Int) {{
  desiredHistory(kind: $kind, first: $first, before: $before) {{ {_REVISION} }} }}"""
CHANGE_DESIRED: Final = f"""mutation ($kind: ListKind!, $deltas: [DeltaInput!]!, $seen: Int!, $why: String!) {{
  changeDesired(kind: $kind, deltas: $deltas, seen: $seen, why: $why) {{ {_REVISION} }} }}"""
ROLLBACK_DESIRED: Final = f"""mutation ($kind: ListKind!, $to: Int!, $why: String!) {{
  rollbackDesired(kind: $kind, to: $to, why: $why) {{ {_REVISION} }} }}"""

_CEREMONY = "rootVersion done left document"
_CATALOG = """profile public serial root online prepared warnings
  roles { role version expires threshold keys { id key here } }"""
CATALOGS: Final = f"query {{ catalogs {{ {_CATALOG} }} }}"
CATALOG: Final = f"query ($profile: String!) {{ catalog(profile: $profile) {{ {_CATALOG} }} }}"
ROTATE_CATALOG: Final = f"""mutation ($profile: String!, $roles: [CatalogRole!]!) {{
  rotateCatalogKeys(profile: $profile, roles: $roles) {{ {_CEREMONY} }} }}"""
PREPARE_ROOT: Final = f"""mutation ($profile: String!, $add: [String!], $remove: [String!], $threshold: Int) {{
  prepareCatalogRoot(profile: $profile, add: $add, remove: $remove, threshold: $threshold) {{ {_CEREMONY} }} }}"""
PUBLISH_ROOT: Final = f"""mutation ($profile: String!, $documents: [String!]!) {{
  publishCatalogRoot(profile: $profile, documents: $documents) {{ {_CEREMONY} }} }}"""

PROFILES: Final = "query { profiles { name services public } }"
SET_PROFILE: Final = """mutation ($name: String!, $services: [String!]!, $public: Boolean) {
  setProfile(name: $name, services: $services, public: $public) { name services public } }"""
REMOVE_PROFILE: Final = "mutation ($name: String!) { removeProfile(name: $name) }"

INVITE: Final = """mutation ($profile: String!, $rights: [Right!]) {
  createInvitation(profile: $profile, rights: $rights) { text profile expires } }"""
PROVIDERS: Final = f"query {{ providers {{ {_PROVIDER} }} }}"
ACCEPT: Final = f"""mutation ($text: String!, $autoUpdate: AutoUpdate!) {{
  acceptInvitation(text: $text, autoUpdate: $autoUpdate) {{ {_PROVIDER} }} }}"""
AUTO_UPDATE: Final = f"""mutation ($provider: String!, $autoUpdate: AutoUpdate!) {{
  setAutoUpdate(provider: $provider, autoUpdate: $autoUpdate) {{ {_PROVIDER} }} }}"""
CHECK_PROVIDER: Final = f"mutation ($name: String!) {{ checkProvider(name: $name) {{ {_PROVIDER} }} }}"
UPDATE_PROVIDER: Final = f"mutation ($name: String!) {{ updateProvider(name: $name) {{ {_TASK} }} }}"
SET_PROVIDER_ADDRESS: Final = f"""mutation ($name: String!, $url: String!) {{
  setProviderAddress(name: $name, url: $url) {{ {_PROVIDER} }} }}"""
SET_UPDATE_WINDOW: Final = f"""mutation ($provider: String!, $window: String!) {{
  setUpdateWindow(provider: $provider, window: $window) {{ {_PROVIDER} }} }}"""
REQUIRE_TESTED: Final = f"""mutation ($provider: String!, $tester: String) {{
  requireTested(provider: $provider, tester: $tester) {{ {_PROVIDER} }} }}"""
EXPLAIN: Final = f"""query ($service: String!) {{ explain(service: $service) {{
  service desired desiredBy desiredAt client verdicts {{ provider version action reason why until }}
  unheard {{ provider error checked known }} followed {{ provider version hops at }}
  build {{ running failed error at }} running {{ {_STATE} }} }} }}"""
REMOVE_PROVIDER: Final = "mutation ($name: String!) { removeProvider(name: $name) }"

_PAIRING = """id node nodeId url initiated provides profile code stage confirmedHere confirmedThere opened expires
  reason"""
NEARBY: Final = "query { nearby { on nodes { id name urls relation since heard } } }"
PAIRINGS: Final = f"query {{ pairings {{ {_PAIRING} }} }}"
START_PAIRING: Final = f"""mutation ($target: String!, $wish: PairingWish!, $profile: String) {{
  startPairing(target: $target, wish: $wish, profile: $profile) {{ {_PAIRING} }} }}"""
CONFIRM_PAIRING: Final = f"""mutation ($id: ID!, $code: String!, $profile: String, $autoUpdate: AutoUpdate!) {{
  confirmPairing(id: $id, code: $code, profile: $profile, autoUpdate: $autoUpdate) {{ {_PAIRING} }} }}"""
REJECT_PAIRING: Final = f"mutation ($id: ID!) {{ rejectPairing(id: $id) {{ {_PAIRING} }} }}"

INSTANCES: Final = f"query {{ instances {{ {_INSTANCE} }} }}"
ENROLMENT: Final = "mutation ($instance: String!) { createEnrolment(instance: $instance) { text instance expires } }"
ASSIGN: Final = f"""mutation ($instance: String!, $services: [String!]) {{
  assignServices(instance: $instance, services: $services) {{ {_INSTANCE} }} }}"""
MOVE: Final = f"""mutation ($service: String!, $source: String!, $target: String!, $atOnce: Boolean!) {{
  moveService(service: $service, fromInstance: $source, toInstance: $target, atOnce: $atOnce) {{ {_INSTANCE} }} }}"""
LABEL: Final = f"""mutation ($instance: String!, $labels: [String!]!) {{
  labelInstance(instance: $instance, labels: $labels) {{ {_INSTANCE} }} }}"""
_PROVENANCE: Final = (
    "builder node image same walls network sources { name url ref directory commit } started finished program"
    " difference envelope"
)
PROVENANCE: Final = (
    "query ($service: String!, $version: String!) { provenance(service: $service, version: $version)"
    f" {{ {_PROVENANCE} }} }}"
)
BUILDER_POLICIES: Final = "query { builderPolicies { service builders require } }"
REQUIRE_BUILDERS: Final = (
    "mutation ($service: String!, $builders: [String!]!, $require: Int!)"
    " { requireBuilders(service: $service, builders: $builders, require: $require) { service builders require } }"
)
FREE_BUILDERS: Final = "mutation ($service: String!) { freeBuilders(service: $service) }"
_ENTRUSTED = "service builders { id name }"
ENTRUSTED: Final = f"query {{ entrusted {{ {_ENTRUSTED} }} }}"
ENTRUST: Final = f"""mutation ($service: String!, $peers: [String!]!) {{
  entrust(service: $service, peers: $peers) {{ {_ENTRUSTED} }} }}"""
WITHDRAW_TRUST: Final = "mutation ($service: String!) { withdrawTrust(service: $service) }"
PLACEMENTS: Final = "query { placements { service labels } }"
PLACE: Final = """mutation ($service: String!, $labels: [String!]!) {
  placeService(service: $service, labels: $labels) { service labels } }"""
FORGET_PLACEMENT: Final = "mutation ($service: String!) { forgetPlacement(service: $service) }"

_PRIVATE_FILE = "service name into size at by fingerprint"
PRIVATE_FILES: Final = f"query ($service: String!) {{ privateFiles(service: $service) {{ {_PRIVATE_FILE} }} }}"
PUT_PRIVATE_FILE: Final = f"""mutation ($service: String!, $name: String!, $content: String!, $into: String) {{
  putPrivateFile(service: $service, name: $name, content: $content, into: $into) {{ {_PRIVATE_FILE} }} }}"""
REMOVE_PRIVATE_FILE: Final = """mutation ($service: String!, $name: String!) {
  removePrivateFile(service: $service, name: $name) }"""
_CREDENTIAL = "prefix kind user knownHosts at by fingerprint"
CREDENTIALS: Final = f"query {{ credentials {{ {_CREDENTIAL} }} }}"
PUT_CREDENTIAL: Final = f"""mutation ($prefix: String!, $secret: String!, $user: String!, $knownHosts: String!) {{
  putCredential(prefix: $prefix, secret: $secret, user: $user, knownHosts: $knownHosts) {{ {_CREDENTIAL} }} }}"""
REMOVE_CREDENTIAL: Final = "mutation ($prefix: String!) { removeCredential(prefix: $prefix) }"
REVOKE: Final = f"mutation ($name: String!) {{ revokeInstance(name: $name) {{ {_INSTANCE} }} }}"

RUNS: Final = """query ($instance: String!, $service: String!) {
  runs(instance: $instance, service: $service) {
    run version started alive ended status signal stopped error lostLines } }"""

LOGS: Final = """query ($service: String, $instance: String, $run: String, $text: String, $level: Level, $first: Int!) {
  logs(service: $service, instance: $instance, run: $run, text: $text, level: $level, first: $first) {
    service instance run sequence time level unit message } }"""
FAULTS: Final = f"""query ($service: String, $first: Int!) {{
  faults(service: $service, first: $first) {{ {_FAULT} }} }}"""
FAULT: Final = f"query ($id: ID!) {{ fault(id: $id) {{ {_FAULT} log trace alike damaged files left {_AROUND} }} }}"

FAULT_FILES: Final = "query ($id: ID!) { faultFiles(id: $id) }"

TRANSFERS: Final = """query ($first: Int!) {
  transfers(first: $first) { provider service version base movedBytes fullBytes repairedBytes seconds at }
  savedBytes { moved full saved transfers } }"""

TASKS: Final = f"query ($first: Int!) {{ tasks(first: $first) {{ {_TASK} }} }}"
TASK: Final = f"query ($id: ID!) {{ task(id: $id) {{ {_TASK} }} }}"
TASK_LOG: Final = """query ($id: ID!, $after: Int!, $first: Int!) {
  taskLog(id: $id, after: $after, first: $first) { sequence time level unit message } }"""
TASK_LOG_LIVE: Final = """subscription ($id: ID!, $after: Int!) {
  taskLog(id: $id, after: $after) { sequence time level unit message } }"""
CANCEL_TASK: Final = f"mutation ($id: ID!) {{ cancelTask(id: $id) {{ {_TASK} }} }}"

LOGIN: Final = "mutation ($role: Role!) { createLoginLink(role: $role) { url expires } }"
RESUME_TASK: Final = f"mutation ($id: ID!) {{ resumeTask(id: $id) {{ {_TASK} }} }}"
