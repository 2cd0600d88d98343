# Cross-compiles for 64-bit Arm Linux on Debian, and runs what it made under user-mode emulation.
# KOBOLT_SYSROOT is the folder that scripts/arm64-sysroot.sh has filled.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)

set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

set(KOBOLT_SYSROOT "" CACHE PATH "Libraries and headers for 64-bit Arm")
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES KOBOLT_SYSROOT)
set(CMAKE_SYSROOT ${KOBOLT_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

set(ENV{PKG_CONFIG_SYSROOT_DIR} ${KOBOLT_SYSROOT})
set(ENV{PKG_CONFIG_PATH})
set(ENV{PKG_CONFIG_LIBDIR}
  ${KOBOLT_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${KOBOLT_SYSROOT}/usr/share/pkgconfig)

set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L ${KOBOLT_SYSROOT})
