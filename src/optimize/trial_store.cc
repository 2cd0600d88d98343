#include "optimize/trial_store.h"

#include "kobolt/error.h"

namespace kobolt {
namespace {

// Indexed by trial: rows of a trial lie together.
constexpr const char* kTables = R"sql(
CREATE TABLE IF NOT EXISTS search(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS trial(
  id INTEGER PRIMARY KEY, setting TEXT NOT NULL UNIQUE, file_bytes INTEGER NOT NULL DEFAULT 0,
  peak_memory INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS summary(
  trial INTEGER NOT NULL REFERENCES trial, document INTEGER NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY(trial, document)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS timing(
  trial INTEGER NOT NULL REFERENCES trial, stage TEXT NOT NULL,
  speed REAL NOT NULL, speed_low REAL NOT NULL, speed_high REAL NOT NULL,
  confidence REAL NOT NULL, latency_p50 REAL NOT NULL, latency_p95 REAL NOT NULL,
  documents_per_second REAL NOT NULL, PRIMARY KEY(trial, stage)) WITHOUT ROWID;
)sql";

void add_to(TrialRecord& record, const TrialRecord& found) {
  if (found.file_bytes > 0) record.file_bytes = found.file_bytes;
  if (found.peak_memory > 0) record.peak_memory = found.peak_memory;
  if (!found.error.empty()) record.error = found.error;
  record.seconds += found.seconds;
  for (const auto& [document, text] : found.summaries) record.summaries[document] = text;
  for (const auto& [stage, times] : found.times) record.times[stage] = times;
}

}  // namespace

TrialStore::TrialStore(const std::filesystem::path& file, const Description& description)
    : database_(file) {
  SqliteTransaction transaction(database_);
  database_.execute(kTables);
  check_description(file, description);
  transaction.commit();
  read();
}

void TrialStore::check_description(const std::filesystem::path& file,
                                   const Description& description) {
  Description there;
  SqliteStatement rows = database_.prepare("SELECT key, value FROM search");
  while (rows.step()) there.emplace(rows.text(0), rows.text(1));
  if (there.empty()) {
    SqliteStatement insert = database_.prepare("INSERT INTO search VALUES(?, ?)");
    for (const auto& [key, value] : description) insert.bind(key).bind(value).run();
    return;
  }
  const auto value_of = [](const Description& values, const std::string& key) {
    const auto found = values.find(key);
    return found == values.end() ? std::string("nothing") : found->second;
  };
  Description keys = there;
  keys.insert(description.begin(), description.end());
  for (const auto& [key, ignored] : keys) {
    if (value_of(there, key) == value_of(description, key)) continue;
    throw Error(ErrorKind::invalid_argument, "the trials of another search are stored here",
                {.file = file.string(),
                 .field = key,
                 .found = value_of(there, key),
                 .expected = value_of(description, key) + ", as given now",
                 .hint = "go on with what that search was given, or choose another folder"});
  }
}

void TrialStore::read() {
  std::map<std::int64_t, std::string> names;
  SqliteStatement trials =
      database_.prepare("SELECT id, setting, file_bytes, peak_memory, seconds, error FROM trial");
  while (trials.step()) {
    names[trials.integer(0)] = trials.text(1);
    records_[trials.text(1)] = {.file_bytes = static_cast<std::uint64_t>(trials.integer(2)),
                                .peak_memory = static_cast<std::uint64_t>(trials.integer(3)),
                                .seconds = trials.real(4),
                                .error = trials.text(5)};
  }
  SqliteStatement summaries = database_.prepare("SELECT trial, document, text FROM summary");
  while (summaries.step()) {
    records_[names[summaries.integer(0)]]
        .summaries[static_cast<std::size_t>(summaries.integer(1))] = summaries.text(2);
  }
  SqliteStatement timings = database_.prepare(
      "SELECT trial, stage, speed, speed_low, speed_high, confidence, latency_p50, latency_p95, "
      "documents_per_second FROM timing");
  while (timings.step()) {
    records_[names[timings.integer(0)]].times[timings.text(1)] = {
        .speed = {.low = timings.real(3),
                  .ratio = timings.real(2),
                  .high = timings.real(4),
                  .confidence = timings.real(5)},
        .latency = timings.real(6),
        .latency_p95 = timings.real(7),
        .throughput = timings.real(8)};
  }
}

const TrialRecord& TrialStore::find(const std::string& setting) const {
  static const TrialRecord nothing;
  const auto found = records_.find(setting);
  return found == records_.end() ? nothing : found->second;
}

std::vector<std::string> TrialStore::settings() const {
  std::vector<std::string> names;
  names.reserve(records_.size());
  for (const auto& [setting, record] : records_) names.push_back(setting);
  return names;
}

double TrialStore::seconds() const {
  double sum = 0;
  for (const auto& [setting, record] : records_) sum += record.seconds;
  return sum;
}

std::int64_t TrialStore::row_of(const std::string& setting) {
  SqliteStatement row = database_.prepare("SELECT id FROM trial WHERE setting = ?");
  row.bind(setting);
  if (row.step()) return row.integer(0);
  database_.prepare("INSERT INTO trial(setting) VALUES(?)").bind(setting).run();
  return database_.last_row();
}

void TrialStore::add(const std::string& setting, const TrialRecord& found) {
  TrialRecord record = find(setting);
  add_to(record, found);
  SqliteTransaction transaction(database_);
  const std::int64_t id = row_of(setting);
  database_
      .prepare(
          "UPDATE trial SET file_bytes = ?, peak_memory = ?, seconds = ?, error = ? "
          "WHERE id = ?")
      .bind(static_cast<std::int64_t>(record.file_bytes))
      .bind(static_cast<std::int64_t>(record.peak_memory))
      .bind(record.seconds)
      .bind(record.error)
      .bind(id)
      .run();
  SqliteStatement summary = database_.prepare("INSERT OR REPLACE INTO summary VALUES(?, ?, ?)");
  for (const auto& [document, text] : found.summaries) {
    summary.bind(id).bind(static_cast<std::int64_t>(document)).bind(text).run();
  }
  SqliteStatement timing =
      database_.prepare("INSERT OR REPLACE INTO timing VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const auto& [stage, times] : found.times) {
    timing.bind(id)
        .bind(stage)
        .bind(times.speed.ratio)
        .bind(times.speed.low)
        .bind(times.speed.high)
        .bind(times.speed.confidence)
        .bind(times.latency)
        .bind(times.latency_p95)
        .bind(times.throughput)
        .run();
  }
  transaction.commit();
  records_[setting] = std::move(record);
}

}  // namespace kobolt
