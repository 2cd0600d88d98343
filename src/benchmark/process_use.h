#pragma once

namespace kobolt {

/// Seconds of processor time that this process has used, all threads together.
double processor_seconds();

/// Seconds since this process was started, to a hundredth; 0 where the system does not tell.
double process_age();

}  // namespace kobolt
