// In the resource group: the workspace with the tables that are exported, and the delegation of the group.
targetScope = 'resourceGroup'

@description('The region of the provider\'s event hub that takes these logs.')
param location string

@description('The workspace.')
@maxLength(63)
param workspaceName string

@description('The definition that delegates this resource group.')
param registrationDefinitionId string

@description('A GUID.')
param assignmentName string

var tables = [
  'SigninLogs'
  'AuditLogs'
  'AADNonInteractiveUserSignInLogs'
  'AADServicePrincipalSignInLogs'
  'AADManagedIdentitySignInLogs'
  'AADProvisioningLogs'
  'ADFSSignInLogs'
  'AADRiskyUsers'
  'AADUserRiskEvents'
  'AADRiskyServicePrincipals'
  'AADServicePrincipalRiskEvents'
]

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: workspaceName
  location: location
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: 30
  }
}

resource table 'Microsoft.OperationalInsights/workspaces/tables@2025-07-01' = [for name in tables: {
  parent: workspace
  name: name
  properties: {
    plan: 'Analytics'
  }
}]

resource assignment 'Microsoft.ManagedServices/registrationAssignments@2022-10-01' = {
  name: assignmentName
  properties: {
    registrationDefinitionId: registrationDefinitionId
  }
}

output workspaceId string = workspace.id
