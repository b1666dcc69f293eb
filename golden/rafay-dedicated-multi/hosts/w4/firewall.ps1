
# Firewall of w4, site halvorsen-bergen. Written by sitec; do not edit.
# Run as administrator: firewall.ps1 puts the rules below in place of all other permissions, which it turns off and notes;
# firewall.ps1 -Undo takes these rules away and turns the noted ones on again. Running it twice changes nothing.
param([switch]$Undo)
$ErrorActionPreference = 'Stop'
$folder = Join-Path $env:ProgramData 'sitec'
$noted = Join-Path $folder 'firewall-noted.txt'

function Restore-Noted {
    Get-NetFirewallRule -Group 'sitec' -ErrorAction SilentlyContinue | Remove-NetFirewallRule
    if (Test-Path $noted) {
        Get-Content $noted | ForEach-Object { Enable-NetFirewallRule -Name $_ -ErrorAction SilentlyContinue }
        Remove-Item $noted
    }
    Set-NetFirewallProfile -All -DefaultOutboundAction Allow
}

function Add-Rule([hashtable]$What) {
    New-NetFirewallRule -Group 'sitec' -Enabled True -Profile Any -Action Allow @What | Out-Null
}

# Turns off what others permit, and notes it for -Undo.
function Disable-Others([string]$Direction) {
    New-Item -ItemType Directory -Force $folder | Out-Null
    Get-NetFirewallRule -PolicyStore PersistentStore -Direction $Direction -Enabled True -Action Allow |
        Where-Object { $_.Group -ne 'sitec' } |
        ForEach-Object { Add-Content $noted $_.Name; Disable-NetFirewallRule -Name $_.Name }
}

if ($Undo) { Restore-Noted; exit }

$peers = @{
    'admin1_v4' = @('10.61.250.5')
    'admin_v4' = @('10.61.250.0/28')
    'nodes_rig_v4' = @('10.61.8.11', '10.61.8.12', '10.61.8.13', '10.61.8.21', '10.61.8.22', '10.61.8.23', '10.61.8.24')
    'pods_rig_v4' = @('10.244.0.0/16')
}

try {
    Get-NetFirewallRule -Group 'sitec' -ErrorAction SilentlyContinue | Remove-NetFirewallRule
    Add-Rule @{ DisplayName = 'sitec: ICMP'; Direction = 'Inbound'; Protocol = 'ICMPv4'; IcmpType = @('3', '8', '11', '12') }
    Add-Rule @{ DisplayName = 'sitec: ICMPv6'; Direction = 'Inbound'; Protocol = 'ICMPv6'; IcmpType = @('1', '2', '3', '4', '128', '130', '131', '132', '133', '134', '135', '136', '143') }
    Add-Rule @{ DisplayName = 'rafay: nodes'; Direction = 'Inbound'; Protocol = 'TCP'; LocalPort = @('1-29999', '32768-65535'); RemoteAddress = $peers.Item('nodes_rig_v4') }
    Add-Rule @{ DisplayName = 'rafay: nodes'; Direction = 'Inbound'; Protocol = 'TCP'; LocalPort = @(22); RemoteAddress = $peers.Item('admin1_v4') }
    Add-Rule @{ DisplayName = 'site: Windows hosts'; Direction = 'Inbound'; Protocol = 'TCP'; LocalPort = @(22, 3389, '5985-5986'); RemoteAddress = $peers.Item('admin_v4') }
    Add-Rule @{ DisplayName = 'site: cluster nodes'; Direction = 'Inbound'; Protocol = 'TCP'; LocalPort = @(179, 5473, 10250, 10256); RemoteAddress = $peers.Item('nodes_rig_v4') }
    Add-Rule @{ DisplayName = 'site: cluster nodes'; Direction = 'Inbound'; Protocol = 'TCP'; LocalPort = @(6443, 10250); RemoteAddress = $peers.Item('pods_rig_v4') }
    Add-Rule @{ DisplayName = 'rafay: nodes'; Direction = 'Inbound'; Protocol = 'UDP'; LocalPort = @('1-29999', '32768-65535'); RemoteAddress = $peers.Item('nodes_rig_v4') }
    Add-Rule @{ DisplayName = 'site: Windows hosts'; Direction = 'Inbound'; Protocol = 'UDP'; LocalPort = @(3389); RemoteAddress = $peers.Item('admin_v4') }
    Add-Rule @{ DisplayName = 'site: cluster nodes'; Direction = 'Inbound'; Protocol = 'UDP'; LocalPort = @(4789); RemoteAddress = $peers.Item('nodes_rig_v4') }
    Add-Rule @{ DisplayName = 'site: cluster nodes'; Direction = 'Inbound'; Protocol = 4; RemoteAddress = $peers.Item('nodes_rig_v4') }
    Disable-Others 'Inbound'
    Set-NetFirewallProfile -All -Enabled True -DefaultInboundAction Block -DefaultOutboundAction Allow -AllowInboundRules True -AllowLocalFirewallRules True
}
catch {
    # Half a ruleset would lock everybody out.
    Restore-Noted
    throw
}
