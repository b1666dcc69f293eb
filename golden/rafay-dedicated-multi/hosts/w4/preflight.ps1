# Is w4 ready to become a worker of the cluster rig? Run it in PowerShell as
# administrator. It changes nothing. Exit status: 0 nothing failed, 1 something failed.
# The check of fapolicyd and firewalld is for Linux only.
$failed = 0
function Report($good, $what, $help) {
    if ($good) { Write-Output "ok    $what" } else { Write-Output "FAIL  ${what}: $help"; $script:failed++ }
}

$system = (Get-CimInstance Win32_OperatingSystem).Caption
Report ($system -like '*Windows Server*') "precheck 1: the operating system is one that is supported" "it is $system, a worker runs Windows Server"

$taken = @(Get-NetTCPConnection -State Listen -LocalPort 53 -ErrorAction SilentlyContinue) + @(Get-NetUDPEndpoint -LocalPort 53 -ErrorAction SilentlyContinue)
Report ($taken.Count -eq 0) "precheck 2: port 53 is free" "stop the DNS server on this node"

$target = @{ Name = 'console.rafay.example'; Port = 443 }
Report (Test-NetConnection -ComputerName $target.Name -Port $target.Port -InformationLevel Quiet) "precheck 3: the way to the controller is open" "$($target.Name) does not answer on port $($target.Port)"

$stripchart = ''
foreach ($server in @('10.61.8.2', '10.61.8.3')) {
    $stripchart = (w32tm /stripchart /computer:$server /samples:1 /dataonly 2>&1) -join ' '
    if ($stripchart -match '([+-]\d+\.\d+)s') { break }
}
$answered = $stripchart -match '([+-]\d+\.\d+)s'
Report $answered "precheck 4: a time server answers" "let the node out to the time servers"
Report ($answered -and [math]::Abs([double]$Matches[1]) -lt 1) "precheck 5: the clock is less than a second off" "set the clock"

$before = @(Get-Command kubelet, kubeadm, kubectl -ErrorAction SilentlyContinue) + @(Get-Service kubelet -ErrorAction SilentlyContinue) + @(Get-Item 'C:\etc\kubernetes', 'C:\var\lib\kubelet' -ErrorAction SilentlyContinue)
Report ($before.Count -eq 0) "precheck 6: there is no Kubernetes from before" "remove it, or take a fresh host"

Report ([System.Net.Dns]::GetHostName().ToLower() -match '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$') "precheck 7: the host name is valid" "rename the host: letters, digits and -"

Report (@(Get-DnsClientServerAddress | Where-Object { $_.ServerAddresses.Count -gt 0 }).Count -gt 0) "precheck 8: the node has name servers, which Windows asks in their order" "set the name servers of its interface"

if ($failed -gt 0) { exit 1 }
