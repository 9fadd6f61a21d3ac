// The policy that delegates every subscription below the management group, and corrects an outdated list of roles.
targetScope = 'managementGroup'

@description('Where the assignment\'s identity and its deployments are kept.')
param location string

@description('The provider\'s Entra ID tenant.')
param providerTenantId string

@description('What the customer\'s service provider pages call this delegation.')
@maxLength(128)
param offerName string

@description('What it is for.')
@maxLength(256)
param offerDescription string

@description('A GUID: the name of the definition and of its assignment.')
param definitionName string

@description('Who gets which role: principalId, principalIdDisplayName, roleDefinitionId.')
param authorizations array

@description('How many principals there are; each gets every role.')
param principalCount int

@description('The roles\' ids.')
param roleIds array

// One condition a role: the definition grants it to as many principals as there are.
var rolesPresent = [for id in roleIds: {
  count: {
    field: 'Microsoft.ManagedServices/registrationDefinitions/authorizations[*]'
    where: {
      field: 'Microsoft.ManagedServices/registrationDefinitions/authorizations[*].roleDefinitionId'
      equals: id
    }
  }
  equals: principalCount
}]
var policyName = 'azmdr-delegate-subscriptions'
var assignmentName = 'azmdr-delegate'
// Owner: only who may assign roles may delegate.
var roleId = '8e3af657-a8ff-443c-a75c-2fe8c4bcb635'
var offerPresent = [
  {
    field: 'name'
    equals: definitionName
  }
  {
    field: 'Microsoft.ManagedServices/registrationDefinitions/managedByTenantId'
    equals: providerTenantId
  }
  {
    count: {
      field: 'Microsoft.ManagedServices/registrationDefinitions/authorizations[*]'
    }
    equals: length(authorizations)
  }
]
var delegation = loadJsonContent('delegation.json')

resource policy 'Microsoft.Authorization/policyDefinitions@2025-01-01' = {
  name: policyName
  properties: {
    displayName: 'Delegate subscriptions to the provider through Azure Lighthouse'
    policyType: 'Custom'
    mode: 'All'
    description: 'Deploys the delegation where it is missing, and where its list of roles is not the one that was agreed.'
    metadata: {
      category: 'Lighthouse'
    }
    policyRule: {
      if: {
        field: 'type'
        equals: 'Microsoft.Resources/subscriptions'
      }
      then: {
        effect: 'deployIfNotExists'
        details: {
          type: 'Microsoft.ManagedServices/registrationDefinitions'
          deploymentScope: 'subscription'
          existenceScope: 'subscription'
          roleDefinitionIds: [
            tenantResourceId('Microsoft.Authorization/roleDefinitions', roleId)
          ]
          existenceCondition: {
            allOf: concat(offerPresent, rolesPresent)
          }
          deployment: {
            location: location
            properties: {
              mode: 'incremental'
              parameters: {
                providerTenantId: {
                  value: providerTenantId
                }
                offerName: {
                  value: offerName
                }
                offerDescription: {
                  value: offerDescription
                }
                definitionName: {
                  value: definitionName
                }
                authorizations: {
                  value: authorizations
                }
              }
              template: delegation
            }
          }
        }
      }
    }
  }
}

resource policyAssignment 'Microsoft.Authorization/policyAssignments@2025-01-01' = {
  name: assignmentName
  location: location
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    displayName: 'Delegate every subscription to the provider'
    policyDefinitionId: policy.id
    enforcementMode: 'Default'
  }
}

resource identityRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(managementGroup().id, assignmentName, roleId)
  properties: {
    roleDefinitionId: tenantResourceId('Microsoft.Authorization/roleDefinitions', roleId)
    principalId: policyAssignment.identity.principalId
    principalType: 'ServicePrincipal'
  }
}

// A new list of roles gets a remediation of its own: one that is over can't be run again.
resource remediation 'Microsoft.PolicyInsights/remediations@2021-10-01' = {
  name: 'azmdr-delegate-${guid(string(authorizations))}'
  properties: {
    policyAssignmentId: policyAssignment.id
    resourceDiscoveryMode: 'ExistingNonCompliant'
    resourceCount: 500
    parallelDeployments: 10
  }
  dependsOn: [
    identityRole
  ]
}

output policyAssignmentId string = policyAssignment.id
