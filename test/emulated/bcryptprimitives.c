// SPDX-License-Identifier: Apache-2.0

// A bcryptprimitives.dll for Wine 8, which lacks two things that Go's runtime
// uses on Windows. Every Go program loads this library when it starts.

#include <windows.h>
#include <string.h>

// The source of random bytes, which Wine has from version 9 on.

BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size)
{
	return SystemFunction036(data, (ULONG)size);
}

// Deleting a file that is open. Wine answers STATUS_NOT_IMPLEMENTED; a Windows
// without it answers STATUS_INVALID_INFO_CLASS, and Go then deletes in the older
// way. The entry of ntdll's function becomes a jump to the one below, and the
// 32 bytes that were there, which hold no relative address outside of themselves,
// go on as a copy.

typedef LONG(NTAPI *set_information)(HANDLE, PVOID, PVOID, ULONG, ULONG);

enum { STUB = 32, FILE_DISPOSITION_INFORMATION_EX = 64 };

static set_information original;

static LONG NTAPI set(HANDLE file, PVOID io, PVOID data, ULONG length, ULONG class)
{
	if (class == FILE_DISPOSITION_INFORMATION_EX)
		return (LONG)0xC0000003; // STATUS_INVALID_INFO_CLASS
	return original(file, io, data, length, class);
}

BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, LPVOID reserved)
{
	static const BYTE move_jump[] = {0x48, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xE0}; // mov rax, ADDRESS; jmp rax
	BYTE *entry, *copy;
	set_information target = set;
	DWORD before;

	if (reason != DLL_PROCESS_ATTACH)
		return TRUE;
	entry = (BYTE *)GetProcAddress(GetModuleHandleA("ntdll.dll"), "NtSetInformationFile");
	copy = VirtualAlloc(NULL, STUB, MEM_COMMIT | MEM_RESERVE, PAGE_EXECUTE_READWRITE);
	if (!entry || !copy || !VirtualProtect(entry, STUB, PAGE_EXECUTE_READWRITE, &before))
		return FALSE;
	memcpy(copy, entry, STUB);
	original = (set_information)copy;
	memcpy(entry, move_jump, sizeof move_jump);
	memcpy(entry + 2, &target, sizeof target);
	return VirtualProtect(entry, STUB, before, &before);
}
