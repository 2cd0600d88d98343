#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace kobolt {

class SqliteStatement;

/// A database file that this process has for itself. Every function throws Error(io) naming the
/// file, with a hint where the disk is full or another process has it, and Error(corrupt) for a
/// file that is no database; a change that failed leaves the file as it was.
class Sqlite {
 public:
  /// Opens or makes it.
  explicit Sqlite(const std::filesystem::path& file);

  /// Runs statements that return nothing.
  void execute(const std::string& sql);
  [[nodiscard]] SqliteStatement prepare(std::string_view sql);
  [[nodiscard]] std::int64_t last_row() const;
  [[noreturn]] void fail(const std::string& message) const;

 private:
  struct Closer {
    void operator()(sqlite3* handle) const;
  };
  std::string file_;
  std::unique_ptr<sqlite3, Closer> handle_;
};

/// A prepared statement: bind its parameters in order, then step through its rows.
class SqliteStatement {
 public:
  SqliteStatement(Sqlite& database, sqlite3_stmt* statement);

  SqliteStatement& bind(std::int64_t value);
  SqliteStatement& bind(double value);
  SqliteStatement& bind(std::string_view value);  ///< copied

  /// Whether there is a row to read.
  bool step();
  /// Steps, and begins anew with parameters to bind again.
  void run();

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string text(int column) const;

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };
  void check_bound(int result);

  Sqlite* database_;
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
  int bound_ = 0;
};

/// Changes that happen together or not at all.
class SqliteTransaction {
 public:
  explicit SqliteTransaction(Sqlite& database);
  SqliteTransaction(const SqliteTransaction&) = delete;
  SqliteTransaction& operator=(const SqliteTransaction&) = delete;
  ~SqliteTransaction();
  void commit();

 private:
  Sqlite& database_;
  bool committed_ = false;
};

}  // namespace kobolt
