// The resource group that the second policy gives every subscription.
targetScope = 'subscription'

param location string
param name string

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: name
  location: location
  properties: {}
}
