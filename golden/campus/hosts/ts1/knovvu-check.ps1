# Is this host the terminal server that SESTEK needs? knovvu at sund-campus.
# Run it there in PowerShell as the account of the support engineer. It changes nothing. Exit status: 0 fine, 1 something failed.
$failed = 0
function Report([bool] $fine, [string] $what) {
    if ($fine) { Write-Output "ok    $what" } else { Write-Output "FAIL  $what"; $script:failed++ }
}

$principal = New-Object Security.Principal.WindowsPrincipal([Security.Principal.WindowsIdentity]::GetCurrent())
Report ($principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) 'administrator privileges'

# Windows Server 2016 is build 14393; Windows 10 and 11 report version 10.
$system = Get-CimInstance Win32_OperatingSystem
$build = [int] $system.BuildNumber
if ($system.ProductType -eq 1) { Report ($system.Version -like '10.*') $system.Caption } else { Report ($build -ge 14393) $system.Caption }

$free = (Get-PSDrive -Name $env:SystemDrive.TrimEnd(':')).Free
Report ($free -ge 2GB) ('{0:N1} GB free for temporary files, 2 are recommended' -f ($free / 1GB))

# Installed programs by the names that they register, packages of the store, and ssh by its command.
$keys = 'HKLM:\Software\Microsoft\Windows\CurrentVersion\Uninstall\*', 'HKLM:\Software\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall\*', 'HKCU:\Software\Microsoft\Windows\CurrentVersion\Uninstall\*'
$names = @(Get-ItemProperty $keys -ErrorAction SilentlyContinue | ForEach-Object { $_.DisplayName })
$names += @(Get-AppxPackage | ForEach-Object { $_.Name })
function Installed([string] $title) {
    if ($title -eq 'OpenSSH Client') { return [bool] (Get-Command ssh.exe -ErrorAction SilentlyContinue) }
    $word = $title -replace ' ', '*'
    return [bool] ($names -like "*$word*")
}
Report (Installed 'OpenSSH Client') 'OpenSSH Client'
Report (Installed 'Windows Terminal') 'Windows Terminal'
Report (Installed 'Notepad++') 'Notepad++'
Report (Installed 'Postman') 'Postman'
Report (Installed 'pgAdmin 4') 'pgAdmin 4'

# Everything that the terminal server connects to.
function Reach([string] $what, [string] $address, [int] $port) {
    $test = Test-NetConnection -ComputerName $address -Port $port -WarningAction SilentlyContinue
    Report ($test.TcpTestSucceeded) "$what at ${address}:$port"
}
Reach 'database, PostgreSQL' '10.40.128.41' 5432
Reach 'kubernetes-api, Kubernetes API' '10.40.128.10' 6443
Reach 'kubernetes-api, Kubernetes API' '10.40.128.11' 6443
Reach 'kubernetes-api, Kubernetes API' '10.40.128.12' 6443
Reach 'kubernetes-api, Kubernetes API' '10.40.128.13' 6443
Reach 'license-server, Remote Desktop' '10.40.128.71' 3389
Reach 'license-server, license' '10.40.128.71' 30113
Reach 'nodes, SSH' '10.40.128.11' 22
Reach 'nodes, SSH' '10.40.128.12' 22
Reach 'nodes, SSH' '10.40.128.13' 22
Reach 'nodes, SSH' '10.40.128.21' 22
Reach 'nodes, SSH' '10.40.128.22' 22
Reach 'nodes, SSH' '10.40.128.23' 22
Reach 'nodes, SSH' '10.40.128.24' 22
Reach 'nodes, SSH' '10.40.128.25' 22
Reach 'nodes, SSH' '10.40.128.26' 22
Reach 'object-storage, S3' '10.40.130.9' 443
Reach 'registry, HTTPS' '10.40.128.51' 443

exit [int] ($failed -gt 0)
