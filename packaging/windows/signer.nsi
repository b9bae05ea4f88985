; The set-up for Windows: per user without administrator (default, /CurrentUser) or for all users (/AllUsers), with or
; without questions (/S), over an older version in place. Made by build.ps1, which gives these:
;   makensis -DVERSION=1.2.3 -DPAYLOAD=folder -DICON=signer.ico -DOUT=signer-setup-1.2.3.exe [-DSIGN_WITH="command"] signer.nsi
; Exit codes: 0 done, 1 given up by the person, 10 this system can't run it, 11 the program stays open,
; 12 administrator wanted, 13 a newer version is there, 14 the folder holds something else, 15 files can't be written.
; The file begins with a byte order mark: by it makensis reads UTF-8 on every system.

Unicode true
; The 32-bit stub: on a system that is too old or has 32 bits our own words appear, not the system's.
Target x86-unicode
ManifestSupportedOS all
ManifestDPIAware true
RequestExecutionLevel user
SetCompressor /SOLID lzma
CRCCheck force
AllowRootDirInstall false

!ifndef VERSION | PAYLOAD | ICON | OUT
  !error "VERSION, PAYLOAD, ICON and OUT must be given, as build.ps1 does"
!endif

!include LogicLib.nsh
!include FileFunc.nsh
!include WordFunc.nsh
!include MUI2.nsh
!include x64.nsh

!define NAME "Signer"
!define MARK "installed-as"
!define OLDEST_BUILD 17763 ; Windows 10 1809: what Qt 6 asks for
!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\${NAME}"
!define VERB_KEY "Software\Classes\SystemFileAssociations\.pdf\shell\${NAME}.Sign"
!define SYNCHRONIZE 0x00100000

Name "${NAME}"
OutFile "${OUT}"
BrandingText "${NAME} ${VERSION}"
Icon "${ICON}"
UninstallIcon "${ICON}"
!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
ShowInstDetails nevershow
ShowUninstDetails nevershow

; Files of Windows bear four numbers.
!searchparse /noerrors "${VERSION}.0.0.0" "" V1 "." V2 "." V3 "." V4 "."
VIProductVersion "${V1}.${V2}.${V3}.${V4}"
VIAddVersionKey /LANG=0 "ProductName" "${NAME}"
VIAddVersionKey /LANG=0 "FileDescription" "${NAME}"
VIAddVersionKey /LANG=0 "FileVersion" "${VERSION}"
VIAddVersionKey /LANG=0 "ProductVersion" "${VERSION}"
VIAddVersionKey /LANG=0 "LegalCopyright" "${NAME}"

!ifdef SIGN_WITH
  !uninstfinalize '${SIGN_WITH} "%1"' = 0
  !finalize '${SIGN_WITH} "%1"' = 0
!endif

Var Machine   ; "1": for all users
Var Given     ; the options as they came
Var Back      ; "1": an older version may take the place of a newer one

!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_RUN "$INSTDIR\signer-gui.exe"
!define MUI_FINISHPAGE_RUN_CHECK
!insertmacro MUI_PAGE_WELCOME
!insertmacro MUI_PAGE_INSTFILES
!define MUI_PAGE_CUSTOMFUNCTION_PRE FinishPre
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES

; The first is what a system in any other language gets.
!insertmacro MUI_LANGUAGE "Vietnamese"
!insertmacro MUI_LANGUAGE "English"

LangString VERB ${LANG_VIETNAMESE} "Ký số…"
LangString VERB ${LANG_ENGLISH} "Sign…"
LangString TOLD ${LANG_VIETNAMESE} "Ký số và gửi nhận văn bản"
LangString TOLD ${LANG_ENGLISH} "Sign and exchange documents"
LangString OLD_SYSTEM ${LANG_VIETNAMESE} "Máy này chưa dùng được Signer.$\r$\n$\r$\nSigner cần Windows 10 bản 1809 (build ${OLDEST_BUILD}) trở lên; máy này là build $R8.$\r$\n$\r$\nHãy cập nhật Windows, hoặc cài trên máy khác."
LangString OLD_SYSTEM ${LANG_ENGLISH} "Signer can't be used on this machine.$\r$\n$\r$\nIt needs Windows 10 version 1809 (build ${OLDEST_BUILD}) or later; this is build $R8.$\r$\n$\r$\nUpdate Windows, or install on another machine."
LangString NOT_64 ${LANG_VIETNAMESE} "Máy này chưa dùng được Signer.$\r$\n$\r$\nSigner cần Windows 64 bit (x64); Windows trên máy này là loại khác.$\r$\n$\r$\nHãy cài Windows 64 bit, hoặc cài trên máy khác."
LangString NOT_64 ${LANG_ENGLISH} "Signer can't be used on this machine.$\r$\n$\r$\nIt needs 64-bit Windows (x64); this machine has another kind.$\r$\n$\r$\nInstall 64-bit Windows, or use another machine."
LangString OPEN ${LANG_VIETNAMESE} "Signer đang mở.$\r$\n$\r$\nHãy làm xong việc đang dở rồi đóng Signer, sau đó bấm Thử lại. Nếu tài khoản khác trên máy này đang mở Signer, cũng cần đóng ở đó."
LangString OPEN ${LANG_ENGLISH} "Signer is open.$\r$\n$\r$\nFinish what you are doing and close it, then press Retry. If another account of this machine has it open, close it there too."
LangString ADMIN ${LANG_VIETNAMESE} "Cài hoặc gỡ cho mọi người dùng cần quyền quản trị.$\r$\n$\r$\nHãy chạy lại bằng tài khoản quản trị, hoặc cài riêng cho tài khoản này (không có /AllUsers)."
LangString ADMIN ${LANG_ENGLISH} "Installing or removing for all users needs an administrator.$\r$\n$\r$\nRun it again as one, or install for this account alone (without /AllUsers)."
LangString NEWER ${LANG_VIETNAMESE} "Máy đang có Signer $R7, mới hơn bản ${VERSION} này.$\r$\n$\r$\nBản cũ có thể không mở được dữ liệu của bản mới. Vẫn cài bản cũ?"
LangString NEWER ${LANG_ENGLISH} "Signer $R7 is installed, which is newer than this ${VERSION}.$\r$\n$\r$\nThe older one may be unable to open the newer one's data. Install it all the same?"
LangString FOREIGN ${LANG_VIETNAMESE} "Thư mục $INSTDIR đang chứa tệp khác, không phải của Signer.$\r$\n$\r$\nSigner không đụng vào tệp đó. Hãy chuyển chúng đi hoặc chọn thư mục khác (/D=…)."
LangString FOREIGN ${LANG_ENGLISH} "The folder $INSTDIR holds files that are not Signer's.$\r$\n$\r$\nThey are left alone. Move them, or choose another folder (/D=…)."
LangString CLOSED ${LANG_VIETNAMESE} "Không ghi được vào $INSTDIR.$\r$\n$\r$\nỔ đĩa đầy, hoặc phần mềm khác đang giữ tệp. Bản đang có (nếu có) vẫn nguyên."
LangString CLOSED ${LANG_ENGLISH} "$INSTDIR can't be written to.$\r$\n$\r$\nThe disk is full, or another program holds files. What was installed is as it was."
LangString DATA ${LANG_VIETNAMESE} "Giữ lại văn bản đã ký, sổ và cài đặt của tài khoản này?$\r$\n$\r$\nBấm Có để giữ (nên giữ: cài lại sẽ dùng tiếp). Bấm Không để xóa hẳn, không lấy lại được."
LangString DATA ${LANG_ENGLISH} "Keep this account's signed documents, registers and settings?$\r$\n$\r$\nYes keeps them for a later installation. No deletes them for good."
LangString DATA_SURE ${LANG_VIETNAMESE} "Xóa hẳn toàn bộ văn bản, sổ và cài đặt ở $LOCALAPPDATA\${NAME}?"
LangString DATA_SURE ${LANG_ENGLISH} "Delete all documents, registers and settings in $LOCALAPPDATA\${NAME} for good?"

; ---- what set-up and removal have in common -------------------------------------------------------------------------

!macro Leave CODE
  SetErrorLevel ${CODE}
  Quit
!macroend

!macro Common UN
; $Machine says for whom: where keys and menus are.
Function ${UN}Scope
  SetRegView 64
  ${If} $Machine == "1"
    SetShellVarContext all
  ${Else}
    SetShellVarContext current
  ${EndIf}
FunctionEnd

; Pushes "1" where $INSTDIR has an executable that runs, of whatever user: Windows lets nobody write into it then.
Function ${UN}Runs
  StrCpy $R0 "0"
  ${For} $R1 1 2
    StrCpy $R2 "$INSTDIR\signer-gui.exe"
    ${If} $R1 == 2
      StrCpy $R2 "$INSTDIR\signer.exe"
    ${EndIf}
    ${If} ${FileExists} "$R2"
      ClearErrors
      FileOpen $R3 "$R2" a
      ${If} ${Errors}
        StrCpy $R0 "1"
      ${Else}
        FileClose $R3
      ${EndIf}
    ${EndIf}
  ${Next}
  Push $R0
FunctionEnd

; Asks the open program to close, as its own cross would (it asks back while work is under way), and waits for it.
Function ${UN}MustBeClosed
  ${Do}
    StrCpy $R4 0
    ${Do}
      Call ${UN}Runs
      Pop $R5
      ${If} $R5 == "0"
        Return
      ${EndIf}
      ${If} $R4 == 0
        ; Without /F it only asks. The children end with their window.
        nsExec::Exec '"$SYSDIR\taskkill.exe" /IM signer-gui.exe'
        Pop $R6
      ${EndIf}
      Sleep 500
      IntOp $R4 $R4 + 1
    ${LoopUntil} $R4 >= 40
    ${If} ${Silent}
      !insertmacro Leave 11
    ${EndIf}
    ${If} ${Cmd} `MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "$(OPEN)" IDCANCEL`
      !insertmacro Leave 11
    ${EndIf}
  ${Loop}
FunctionEnd

; For all users an administrator is needed: asked for once, where there is somebody to ask.
Function ${UN}MustBeAdmin
  ${If} $Machine != "1"
    Return
  ${EndIf}
  UserInfo::GetAccountType
  Pop $R0
  ${If} $R0 == "Admin"
    Return
  ${EndIf}
  ${GetOptions} $Given "/ASKED" $R1
  ${IfNot} ${Errors}
  ${OrIf} ${Silent}
    MessageBox MB_OK|MB_ICONSTOP "$(ADMIN)" /SD IDOK
    !insertmacro Leave 12
  ${EndIf}
  !if "${UN}" == ""
    StrCpy $R2 "$EXEPATH"
  !else
    StrCpy $R2 "$INSTDIR\uninstall.exe"
  !endif
  ExecShell "runas" "$R2" "/AllUsers /ASKED $Given"
  !insertmacro Leave 0
FunctionEnd
!macroend

!insertmacro Common ""
!insertmacro Common "un."

; ---- set-up ---------------------------------------------------------------------------------------------------------

Function .onInit
  ${GetParameters} $Given
  SetRegView 64
  Call MustFitSystem

  ClearErrors
  ${GetOptions} $Given "/DOWNGRADE" $R0
  ${IfNot} ${Errors}
    StrCpy $Back "1"
  ${EndIf}

  ; As it is said, else as it is installed, else for this user.
  StrCpy $Machine "0"
  ReadRegStr $R0 HKLM "${UNINSTALL_KEY}" "InstallLocation"
  ReadRegStr $R1 HKCU "${UNINSTALL_KEY}" "InstallLocation"
  ${If} $R0 != ""
  ${AndIf} $R1 == ""
    StrCpy $Machine "1"
  ${EndIf}
  ClearErrors
  ${GetOptions} $Given "/AllUsers" $R2
  ${IfNot} ${Errors}
    StrCpy $Machine "1"
  ${EndIf}
  ClearErrors
  ${GetOptions} $Given "/CurrentUser" $R2
  ${IfNot} ${Errors}
    StrCpy $Machine "0"
  ${EndIf}
  Call MustBeAdmin
  Call Scope

  ${If} $INSTDIR == "" ; else /D= has said where
    ReadRegStr $INSTDIR SHCTX "${UNINSTALL_KEY}" "InstallLocation"
  ${EndIf}
  ${If} $INSTDIR == ""
    ${If} $Machine == "1"
      StrCpy $INSTDIR "$PROGRAMFILES64\${NAME}"
    ${Else}
      StrCpy $INSTDIR "$LOCALAPPDATA\Programs\${NAME}"
    ${EndIf}
  ${EndIf}
  ; The whole folder is ours and goes when the program goes; so it has our name.
  ${GetFileName} "$INSTDIR" $R0
  ${If} $R0 != "${NAME}"
    StrCpy $INSTDIR "$INSTDIR\${NAME}"
  ${EndIf}
  ${If} ${FileExists} "$INSTDIR\*.*"
  ${AndIfNot} ${FileExists} "$INSTDIR\${MARK}"
    RMDir "$INSTDIR" ; an empty one may go
    ${If} ${FileExists} "$INSTDIR\*.*"
      MessageBox MB_OK|MB_ICONSTOP "$(FOREIGN)" /SD IDOK
      !insertmacro Leave 14
    ${EndIf}
  ${EndIf}

  ReadRegStr $R7 SHCTX "${UNINSTALL_KEY}" "DisplayVersion"
  ${If} $R7 != ""
  ${AndIf} $Back != "1"
    ${VersionCompare} "$R7" "${VERSION}" $R0
    ${If} $R0 == 1
      ${If} ${Cmd} `MessageBox MB_YESNO|MB_ICONEXCLAMATION|MB_DEFBUTTON2 "$(NEWER)" /SD IDNO IDNO`
        !insertmacro Leave 13
      ${EndIf}
    ${EndIf}
  ${EndIf}
FunctionEnd

Function MustFitSystem
  ${IfNot} ${IsNativeAMD64}
    MessageBox MB_OK|MB_ICONSTOP "$(NOT_64)" /SD IDOK
    !insertmacro Leave 10
  ${EndIf}
  ReadRegStr $R8 HKLM "SOFTWARE\Microsoft\Windows NT\CurrentVersion" "CurrentBuildNumber"
  ${If} $R8 < ${OLDEST_BUILD}
    MessageBox MB_OK|MB_ICONSTOP "$(OLD_SYSTEM)" /SD IDOK
    !insertmacro Leave 10
  ${EndIf}
FunctionEnd

; The program that started us for an update ends now; half a minute is more than it takes.
Function WaitForCaller
  ClearErrors
  ${GetOptions} $Given "/WAITPID=" $R0
  ${If} ${Errors}
    Return
  ${EndIf}
  System::Call 'kernel32::OpenProcess(i ${SYNCHRONIZE}, i 0, i R0) p .R1'
  ${If} $R1 P<> 0
    System::Call 'kernel32::WaitForSingleObject(p R1, i 30000) i .R2'
    System::Call 'kernel32::CloseHandle(p R1)'
  ${EndIf}
FunctionEnd

Section "-${NAME}"
  Call WaitForCaller
  Call MustBeClosed
  ; All of it beside the old one first; then two renames. A power cut leaves one of both whole.
  SetOverwrite on
  SetOutPath "$TEMP"
  ${If} ${FileExists} "$INSTDIR.old\${MARK}"
  ${AndIfNot} ${FileExists} "$INSTDIR\${MARK}"
    Rename "$INSTDIR.old" "$INSTDIR"
  ${EndIf}
  RMDir /r "$INSTDIR.new"
  RMDir /r "$INSTDIR.old"
  ClearErrors
  SetOutPath "$INSTDIR.new"
  File /r "${PAYLOAD}/*"
  FileOpen $R0 "$INSTDIR.new\${MARK}" w
  ${If} $Machine == "1"
    FileWrite $R0 "machine"
  ${Else}
    FileWrite $R0 "user"
  ${EndIf}
  FileClose $R0
  WriteUninstaller "$INSTDIR.new\uninstall.exe"
  SetOutPath "$TEMP" ; a folder that is somebody's current one can't be renamed
  ${If} ${Errors}
    RMDir /r "$INSTDIR.new"
    Call Unwritable
  ${EndIf}
  Call MustBeClosed ; it might have been opened meanwhile
  ClearErrors
  ${If} ${FileExists} "$INSTDIR\*.*"
    Rename "$INSTDIR" "$INSTDIR.old"
  ${EndIf}
  ${IfNot} ${Errors}
    Rename "$INSTDIR.new" "$INSTDIR"
  ${EndIf}
  ${If} ${Errors}
    ${IfNot} ${FileExists} "$INSTDIR\*.*"
      Rename "$INSTDIR.old" "$INSTDIR"
    ${EndIf}
    RMDir /r "$INSTDIR.new"
    Call Unwritable
  ${EndIf}
  RMDir /r "$INSTDIR.old"

  CreateShortCut "$SMPROGRAMS\${NAME}.lnk" "$INSTDIR\signer-gui.exe" "" "$INSTDIR\signer-gui.exe" 0 SW_SHOWNORMAL "" "$(TOLD)"
  WriteRegStr SHCTX "${VERB_KEY}" "" "$(VERB)"
  WriteRegStr SHCTX "${VERB_KEY}" "Icon" "$INSTDIR\signer-gui.exe"
  WriteRegStr SHCTX "${VERB_KEY}" "MultiSelectModel" "Player"
  WriteRegStr SHCTX "${VERB_KEY}\command" "" '"$INSTDIR\signer-gui.exe" "%1"'
  ${GetSize} "$INSTDIR" "/S=0K" $R0 $R1 $R2
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayName" "${NAME}"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "Publisher" "${NAME}"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayIcon" "$INSTDIR\signer-gui.exe"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "EstimatedSize" $R0
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "NoModify" 1
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "NoRepair" 1
  ; Menus of open windows learn of it now.
  System::Call 'shell32::SHChangeNotify(i 0x08000000, i 0, p 0, p 0)'

  ClearErrors
  ${GetOptions} $Given "/RELAUNCH" $R0
  ${IfNot} ${Errors}
  ${AndIf} $Machine != "1"
    Exec '"$INSTDIR\signer-gui.exe"'
  ${EndIf}
  SetErrorLevel 0
SectionEnd

Function Unwritable
  MessageBox MB_OK|MB_ICONSTOP "$(CLOSED)" /SD IDOK
  !insertmacro Leave 15
FunctionEnd

; With an administrator's rights the window must not be opened: it would be the administrator's.
Function FinishPre
  ${If} $Machine == "1"
    Abort
  ${EndIf}
FunctionEnd

; ---- removal --------------------------------------------------------------------------------------------------------

Function un.onInit
  ${un.GetParameters} $Given
  SetRegView 64
  ${IfNot} ${FileExists} "$INSTDIR\${MARK}"
    !insertmacro Leave 14 ; not a folder that we made
  ${EndIf}
  FileOpen $R0 "$INSTDIR\${MARK}" r
  FileRead $R0 $R1
  FileClose $R0
  StrCpy $Machine "0"
  ${If} $R1 == "machine"
    StrCpy $Machine "1"
  ${EndIf}
  Call un.MustBeAdmin
  Call un.Scope
FunctionEnd

Section "Uninstall"
  Call un.MustBeClosed
  SetOutPath "$TEMP"
  RMDir /r "$INSTDIR"
  RMDir /r "$INSTDIR.new"
  RMDir /r "$INSTDIR.old"
  ${If} ${FileExists} "$INSTDIR\*.*"
    RMDir /r /REBOOTOK "$INSTDIR"
  ${EndIf}
  Delete "$SMPROGRAMS\${NAME}.lnk"
  DeleteRegKey SHCTX "${VERB_KEY}"
  DeleteRegKey SHCTX "${UNINSTALL_KEY}"
  System::Call 'shell32::SHChangeNotify(i 0x08000000, i 0, p 0, p 0)'

  ; Documents stay unless somebody says otherwise, twice, or by /REMOVEDATA. They are a user's, wherever the program is.
  SetShellVarContext current
  ${If} ${FileExists} "$LOCALAPPDATA\${NAME}\*.*"
    ClearErrors
    ${un.GetOptions} $Given "/REMOVEDATA" $R0
    ${IfNot} ${Errors}
      RMDir /r "$LOCALAPPDATA\${NAME}"
    ${Else}
      MessageBox MB_YESNO|MB_ICONQUESTION|MB_DEFBUTTON1 "$(DATA)" /SD IDYES IDYES kept
      MessageBox MB_YESNO|MB_ICONEXCLAMATION|MB_DEFBUTTON2 "$(DATA_SURE)" /SD IDNO IDNO kept
      RMDir /r "$LOCALAPPDATA\${NAME}"
      kept:
    ${EndIf}
  ${EndIf}
  SetErrorLevel 0
SectionEnd
