<#
.SYNOPSIS
Makes and signs the set-up for Windows from a clean checkout, in one command.

.DESCRIPTION
    powershell -ExecutionPolicy Bypass -File packaging\windows\build.ps1 -Thumbprint 0123…CDEF
Wants Windows 10 1809 or later (x64), Python 3.11 or later with the launcher `py`, NSIS 3.08 or later, and signtool of the
Windows SDK. Everything else comes by requirements.lock. Leaves dist\signer-setup-VERSION.exe, its SHA-256 and the list of
parts beside it. Stops at the first thing that fails.

.PARAMETER Thumbprint
SHA-1 thumbprint of the code-signing certificate in the user's or the machine's store; its key may be on a token.

.PARAMETER TimestampUrl
An RFC 3161 server, so that signatures stay good when the certificate has ended.

.PARAMETER Unsigned
Says that the set-up is for trials and stays without a signature.

.PARAMETER SkipTests
Leaves the tests out; for a second run on the same checkout.

.PARAMETER NoUpdates
Says that this build takes no updates: it has no root of a publisher.
#>
[CmdletBinding()]
param(
    [ValidatePattern('^[0-9A-Fa-f]{40}$')] [string] $Thumbprint,
    [string] $TimestampUrl = $env:SIGNER_TIMESTAMP_URL,
    [string] $Python = 'py',
    [switch] $Unsigned,
    [switch] $SkipTests,
    [switch] $NoUpdates
)
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$root = (Resolve-Path (Join-Path $PSScriptRoot '..\..')).Path
Set-Location $root

# Runs a program and stops where it fails: PowerShell by itself goes on.
function Invoke-Step {
    param([string] $Name, [string] $Program, [string[]] $Arguments)
    Write-Host "`n== $Name"
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) { throw "$Name failed with $LASTEXITCODE" }
}

function Find-Program {
    param([string] $Name, [string[]] $Places, [string] $Hint)
    $found = Get-Command $Name -ErrorAction SilentlyContinue
    if ($found) { return $found.Source }
    foreach ($place in $Places) {
        $match = Get-ChildItem -Path $place -ErrorAction SilentlyContinue | Sort-Object FullName | Select-Object -Last 1
        if ($match) { return $match.FullName }
    }
    throw "$Name was not found. $Hint"
}

if (-not [Environment]::Is64BitOperatingSystem) { throw 'A 64-bit Windows is needed.' }
if (-not $Thumbprint -and -not $Unsigned) { throw 'Give -Thumbprint of the certificate that signs, or -Unsigned for a trial.' }
if ($Thumbprint -and -not $TimestampUrl) { throw 'Give -TimestampUrl: without it the signature ends with the certificate.' }
$publisherRoot = Join-Path $root 'resources\signer_resources\updates\root.json'
if (-not (Test-Path $publisherRoot) -and -not $NoUpdates) {
    throw "There is no $publisherRoot (docs\updates.md says how it is made). -NoUpdates builds without updates."
}
$makensis = Find-Program 'makensis.exe' @("${env:ProgramFiles(x86)}\NSIS\makensis.exe", "$env:ProgramFiles\NSIS\makensis.exe") 'Install NSIS 3.08 or later.'
$signtool = $null
if ($Thumbprint) {
    $signtool = Find-Program 'signtool.exe' @("${env:ProgramFiles(x86)}\Windows Kits\10\bin\10.*\x64\signtool.exe") 'Install the Windows SDK.'
}

$venv = Join-Path $root '.venv'
$venvPython = Join-Path $venv 'Scripts\python.exe'
if (-not (Test-Path $venvPython)) {
    $launcher = @('-m', 'venv', $venv)
    if ($Python -eq 'py') { $launcher = @('-3') + $launcher }
    Invoke-Step 'Virtual environment' $Python $launcher
}
Invoke-Step 'Locked packages' $venvPython @('-m', 'pip', 'install', '--disable-pip-version-check', '--quiet', '--require-hashes', '-r', 'requirements.lock')
Invoke-Step 'The project' $venvPython @('-m', 'pip', 'install', '--disable-pip-version-check', '--quiet', '--no-deps', '--no-build-isolation', '-e', '.')
$version = (& $venvPython -c 'import importlib.metadata; print(importlib.metadata.version("signer"))').Trim()

$env:PYTHONUTF8 = '1'
$env:PYTHONHASHSEED = '0'
$env:QT_QPA_PLATFORM = 'offscreen'
if (-not $SkipTests) {
    # What needs SoftHSM, a shell or Debian's tools is not for this system.
    Invoke-Step 'Tests (quick)' $venvPython @('-m', 'pytest', '-q', '-m', 'not long', 'tests/updates', 'tests/sync', 'tests/resources', 'tests/packaging')
}
Remove-Item Env:\QT_QPA_PLATFORM

# The same commit gives the same times in what is built.
if (-not $env:SOURCE_DATE_EPOCH) {
    $committed = & git log -1 --format=%ct 2>$null
    if ($committed) { $env:SOURCE_DATE_EPOCH = "$committed" }
}
foreach ($folder in 'build', 'dist\signer') {
    if (Test-Path $folder) { Remove-Item -Recurse -Force $folder }
}
Invoke-Step 'The program (PyInstaller)' $venvPython @('-m', 'PyInstaller', '--noconfirm', '--log-level', 'WARN', 'build.spec')
$program = Join-Path $root 'dist\signer'
Invoke-Step 'It starts' (Join-Path $program 'signer.exe') @('--help')

$signing = @()
if ($Thumbprint) {
    $signing = @('sign', '/q', '/sha1', $Thumbprint, '/fd', 'sha256', '/tr', $TimestampUrl, '/td', 'sha256', '/d', 'Signer')
    # Qt's and Python's own libraries bear their makers' signatures.
    $ours = Get-ChildItem $program -Filter '*.exe' | ForEach-Object { $_.FullName }
    Invoke-Step 'Signatures of the program' $signtool ($signing + $ours)
}

$icon = Join-Path $root 'build\signer.ico'
Invoke-Step 'Icon' $venvPython @('-c', 'import sys; from PIL import Image; Image.open(sys.argv[1]).save(sys.argv[2])', 'resources\signer_resources\icons\signer-256.png', $icon)
$setup = Join-Path $root "dist\signer-setup-$version.exe"
$nsis = @('/V3', '/WX', "/DVERSION=$version", "/DPAYLOAD=$program", "/DICON=$icon", "/DOUT=$setup")
if ($Thumbprint) {
    # makensis signs the uninstaller, which it makes itself, and then the set-up.
    $quoted = ($signing | ForEach-Object { if ($_ -match '\s') { "`"$_`"" } else { $_ } }) -join ' '
    $command = Join-Path $root 'build\sign.cmd'
    Set-Content -Path $command -Encoding Ascii -Value "@`"$signtool`" $quoted %1"
    $nsis += "/DSIGN_WITH=$command"
}
Invoke-Step 'The set-up (NSIS)' $makensis ($nsis + (Join-Path $PSScriptRoot 'signer.nsi'))
if ($Thumbprint) {
    Invoke-Step 'Its signature holds' $signtool @('verify', '/q', '/pa', '/tw', $setup)
}

Copy-Item (Join-Path $program 'sbom.cdx.json') (Join-Path $root "dist\signer-$version.cdx.json")
$hash = (Get-FileHash -Algorithm SHA256 $setup).Hash.ToLowerInvariant()
Set-Content -Path "$setup.sha256" -Encoding Ascii -Value "$hash  $(Split-Path -Leaf $setup)"
Write-Host "`n$setup`n$hash"
