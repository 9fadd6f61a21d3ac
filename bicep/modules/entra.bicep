// The workspace for Entra ID's logs, in a resource group of its own, which alone is delegated with the right to
// export from it. The tenant's diagnostic setting is a Security Administrator's to make.
targetScope = 'subscription'

@description('The region of the provider\'s event hub that takes these logs.')
param location string

@description('The resource group of the workspace, and of nothing else.')
@maxLength(90)
param resourceGroupName string

@description('The workspace.')
@maxLength(63)
param workspaceName string

@description('The provider\'s Entra ID tenant.')
param providerTenantId string

@description('What the customer\'s service provider pages call this delegation.')
@maxLength(128)
param offerName string

@description('What it is for.')
@maxLength(256)
param offerDescription string

@description('Who works for the provider: id (the object id, not the application\'s) and name.')
param principals array

// Log Analytics Contributor: the built-in role that may write data export rules.
var roleId = '92aaf0da-9dab-42b6-94a3-d43ce8d16293'
var authorizations = [for principal in principals: {
  principalId: principal.id
  principalIdDisplayName: principal.name
  roleDefinitionId: roleId
}]
var definitionName = guid(providerTenantId, offerName, string(principals), 'entra')

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: resourceGroupName
  location: location
  properties: {}
}

resource definition 'Microsoft.ManagedServices/registrationDefinitions@2022-10-01' = {
  name: definitionName
  properties: {
    registrationDefinitionName: '${offerName}: Entra ID logs'
    description: offerDescription
    managedByTenantId: providerTenantId
    authorizations: authorizations
  }
}

module workspace 'entra-workspace.bicep' = {
  name: 'azmdr-entra-workspace'
  scope: group
  params: {
    location: location
    workspaceName: workspaceName
    registrationDefinitionId: definition.id
    assignmentName: definitionName
  }
}

output workspaceId string = extensionResourceId(format('/subscriptions/{0}/resourceGroups/{1}', subscription().subscriptionId, resourceGroupName), 'Microsoft.OperationalInsights/workspaces', workspaceName)
