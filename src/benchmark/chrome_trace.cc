#include <fmt/format.h>

#include <string>

#include "kobolt/profile.h"

namespace kobolt {

// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU, "complete
// events": times in microseconds, events of one thread nest by time.
std::string chrome_trace(std::span<const TraceEvent> events) {
  std::string json = "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n";
  bool first = true;
  for (const TraceEvent& event : events) {
    std::string name(*event.name == '\0' ? name_of(event.phase) : event.name);
    if (event.layer >= 0) name += fmt::format(" {}", event.layer);
    json += fmt::format(
        "{}{{\"name\":\"{}\",\"cat\":\"{}\",\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":{:.3f},"
        "\"dur\":{:.3f},\"args\":{{\"operations\":{:.0f},\"bytes\":{:.0f}}}}}",
        first ? "" : ",\n", name, name_of(event.phase), event.begin * 1e6,
        (event.end - event.begin) * 1e6, event.cost.operations, event.cost.bytes);
    first = false;
  }
  return json + "\n]}\n";
}

}  // namespace kobolt
