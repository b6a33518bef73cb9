"""What the demo asks the nodes, in GraphQL."""

from typing import Final

NODE: Final = "{ node { name id url } }"
SET_PROFILE: Final = """
mutation ($name: String!, $services: [String!]!) { setProfile(name: $name, services: $services) { name } }
"""
INVITE: Final = "mutation ($profile: String!) { createInvitation(profile: $profile) { text } }"
ACCEPT: Final = "mutation ($text: String!) { acceptInvitation(text: $text) { name } }"
PROVIDERS: Final = "{ providers { name connected error } }"
SET_SITE: Final = """
mutation ($service: String!, $overlays: [GitSourceInput!]!) {
  setSite(service: $service, overlays: $overlays, macros: []) { service }
}
"""
ENROLMENT: Final = "mutation ($instance: String!) { createEnrolment(instance: $instance) { text } }"
INSTANCES: Final = """
{ instances { name connected states {
    service phase desired running committed failed error since moved { version base movedBytes fullBytes seconds }
} } }
"""
ADD_SERVICE: Final = """
mutation ($name: String!, $sources: [GitSourceInput!]!) { addService(name: $name, sources: $sources) { name } }
"""
BUILD: Final = "mutation ($service: String!) { build(service: $service) { id } }"
TASK: Final = "query ($id: ID!) { task(id: $id) { state result error } }"
TASK_LOG: Final = "query ($id: ID!) { taskLog(id: $id) { message } }"
VERSIONS: Final = """
query ($kind: ListKind!, $service: String!) { versions(kind: $kind, service: $service) {
    version makerId receivedFrom sizeBytes entries sources { commit }
} }
"""
FAULTS: Final = "{ faults { id version instance reason message occurred received path { node received } } }"
TRANSFERS: Final = "{ transfers { provider service version base movedBytes fullBytes seconds at } }"
LOGIN_LINK: Final = "mutation { createLoginLink(role: ADMINISTRATOR) { url } }"
