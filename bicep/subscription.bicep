// Delegates this one subscription to the provider, without any policy.
targetScope = 'subscription'

@description('The region of the provider\'s event hub that takes what is in no region.')
param location string

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

@description('The roles every subscription delegates: leastPrivilege, or the two of the article, which can do far more.')
@allowed(['leastPrivilege', 'article'])
param roles string = 'leastPrivilege'

@description('Whether this subscription takes the Entra ID workspace.')
param withEntra bool = false

@description('The resource group of the Entra ID workspace.')
@maxLength(90)
param entraResourceGroup string = 'azmdr-entra-logs'

@description('The workspace that takes the tenant\'s Entra ID logs.')
@maxLength(63)
param entraWorkspaceName string = 'azmdr-entra-logs'

// Monitoring Contributor, Reader, Managed Services Registration Assignment Delete Role.
var leastPrivilege = [
  '749f88d5-cbae-40b8-bcfc-e573ddc772fa'
  'acdd72a7-3385-48ef-bd42-f606fba81ae7'
  '91c1777a-f3dc-4fae-b103-61d183457e46'
]
// Log Analytics Contributor, Reader.
var article = [
  '92aaf0da-9dab-42b6-94a3-d43ce8d16293'
  'acdd72a7-3385-48ef-bd42-f606fba81ae7'
]
var roleIds = roles == 'article' ? article : leastPrivilege
var authorizations = [for i in range(0, length(principals) * length(roleIds)): {
  principalId: principals[i / length(roleIds)].id
  principalIdDisplayName: principals[i / length(roleIds)].name
  roleDefinitionId: roleIds[i % length(roleIds)]
}]
var definitionName = guid(providerTenantId, offerName, string(principals))

module delegation 'modules/delegation.bicep' = {
  name: 'azmdr-delegation'
  params: {
    providerTenantId: providerTenantId
    offerName: offerName
    offerDescription: offerDescription
    definitionName: definitionName
    authorizations: authorizations
  }
}

module entra 'modules/entra.bicep' = if (withEntra) {
  name: 'azmdr-entra'
  params: {
    location: location
    resourceGroupName: entraResourceGroup
    workspaceName: entraWorkspaceName
    providerTenantId: providerTenantId
    offerName: offerName
    offerDescription: offerDescription
    principals: principals
  }
}

output registrationDefinitionName string = definitionName
