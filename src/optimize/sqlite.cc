#include "optimize/sqlite.h"

#include <sqlite3.h>

#include "kobolt/error.h"

namespace kobolt {
namespace {

ErrorKind kind_of(int code) {
  return code == SQLITE_NOTADB || code == SQLITE_CORRUPT ? ErrorKind::corrupt : ErrorKind::io;
}

std::string hint_of(int code) {
  switch (code) {
    case SQLITE_FULL:
      return "make room on the disk and start again: it goes on where it was";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process uses this file: wait for it, or choose another folder";
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return "remove it, or choose another folder";
    default:
      return {};
  }
}

}  // namespace

void Sqlite::Closer::operator()(sqlite3* handle) const { (void)sqlite3_close(handle); }

Sqlite::Sqlite(const std::filesystem::path& file) : file_(file.string()) {
  sqlite3* handle = nullptr;
  const int result =
      sqlite3_open_v2(file_.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  handle_.reset(handle);
  if (result != SQLITE_OK) fail("cannot open the database");
  // Exclusive: two searches in one folder would spoil each other's figures.
  execute("PRAGMA locking_mode=EXCLUSIVE");
  execute("BEGIN EXCLUSIVE; COMMIT");
}

void Sqlite::execute(const std::string& sql) {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    fail("the database refuses a change");
  }
}

SqliteStatement Sqlite::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &statement,
                         nullptr) != SQLITE_OK) {
    fail("the database has other tables than expected");
  }
  return {*this, statement};
}

std::int64_t Sqlite::last_row() const { return sqlite3_last_insert_rowid(handle_.get()); }

void Sqlite::fail(const std::string& message) const {
  const int code = sqlite3_errcode(handle_.get());
  throw Error(kind_of(code), message + ": " + sqlite3_errmsg(handle_.get()),
              {.file = file_, .hint = hint_of(code)});
}

void SqliteStatement::Finalizer::operator()(sqlite3_stmt* statement) const {
  (void)sqlite3_finalize(statement);
}

SqliteStatement::SqliteStatement(Sqlite& database, sqlite3_stmt* statement)
    : database_(&database), statement_(statement) {}

void SqliteStatement::check_bound(int result) {
  if (result != SQLITE_OK) database_->fail("a value cannot be stored");
}

SqliteStatement& SqliteStatement::bind(std::int64_t value) {
  check_bound(sqlite3_bind_int64(statement_.get(), ++bound_, value));
  return *this;
}

SqliteStatement& SqliteStatement::bind(double value) {
  check_bound(sqlite3_bind_double(statement_.get(), ++bound_, value));
  return *this;
}

SqliteStatement& SqliteStatement::bind(std::string_view value) {
  check_bound(sqlite3_bind_text64(statement_.get(), ++bound_, value.data(), value.size(),
                                  SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

bool SqliteStatement::step() {
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result != SQLITE_DONE) database_->fail("the database refuses a change");
  return false;
}

void SqliteStatement::run() {
  (void)step();
  (void)sqlite3_reset(statement_.get());
  bound_ = 0;
}

std::int64_t SqliteStatement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

double SqliteStatement::real(int column) const {
  return sqlite3_column_double(statement_.get(), column);
}

std::string SqliteStatement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

SqliteTransaction::SqliteTransaction(Sqlite& database) : database_(database) {
  database_.execute("BEGIN");
}

SqliteTransaction::~SqliteTransaction() {
  if (committed_) return;
  try {
    database_.execute("ROLLBACK");
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): SQLite has rolled back by itself
  }
}

void SqliteTransaction::commit() {
  database_.execute("COMMIT");
  committed_ = true;
}

}  // namespace kobolt
