#pragma once

/// Marks what the shared library exports; everything else is hidden.
#if defined(__GNUC__)
#define KOBOLT_API __attribute__((visibility("default")))
#else
#define KOBOLT_API
#endif
