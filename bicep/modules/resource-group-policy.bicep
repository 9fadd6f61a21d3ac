// The second policy: a resource group in every subscription, for what has to stand in one.
targetScope = 'managementGroup'

@description('Where the resource groups, the assignment\'s identity and its deployments are kept.')
param location string

@description('The resource group every subscription gets.')
@maxLength(90)
param resourceGroupName string

var policyName = 'azmdr-resource-groups'
var assignmentName = 'azmdr-groups'
// Contributor.
var roleId = 'b24988ac-6180-42a0-ab88-20f7382dd24c'
var group = loadJsonContent('resource-group.json')

resource policy 'Microsoft.Authorization/policyDefinitions@2025-01-01' = {
  name: policyName
  properties: {
    displayName: 'Give every subscription a resource group for automation'
    policyType: 'Custom'
    mode: 'All'
    description: 'Makes the resource group where it is missing; what is in it is not looked at.'
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
          type: 'Microsoft.Resources/subscriptions/resourceGroups'
          name: resourceGroupName
          deploymentScope: 'subscription'
          existenceScope: 'subscription'
          roleDefinitionIds: [
            tenantResourceId('Microsoft.Authorization/roleDefinitions', roleId)
          ]
          deployment: {
            location: location
            properties: {
              mode: 'incremental'
              parameters: {
                location: {
                  value: location
                }
                name: {
                  value: resourceGroupName
                }
              }
              template: group
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
    displayName: 'Give every subscription a resource group for automation'
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

resource remediation 'Microsoft.PolicyInsights/remediations@2021-10-01' = {
  name: 'azmdr-groups'
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
