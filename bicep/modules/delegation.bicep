// The delegation of one subscription: what is granted, and that it is granted.
targetScope = 'subscription'

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

resource definition 'Microsoft.ManagedServices/registrationDefinitions@2022-10-01' = {
  name: definitionName
  properties: {
    registrationDefinitionName: offerName
    description: offerDescription
    managedByTenantId: providerTenantId
    authorizations: authorizations
  }
}

resource assignment 'Microsoft.ManagedServices/registrationAssignments@2022-10-01' = {
  name: definitionName
  properties: {
    registrationDefinitionId: definition.id
  }
}

output registrationDefinitionId string = definition.id
