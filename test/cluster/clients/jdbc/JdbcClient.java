import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.UUID;

/** The official JDBC driver, unchanged: types in and back, parameters, batches, an error with its code. */
public final class JdbcClient {
  private static void same(Object got, Object want, String what) {
    if (!Objects.equals(got, want)) throw new AssertionError(what + ": got " + got + ", want " + want);
  }

  /** Arguments: port, user, password, compress (true or false). */
  public static void main(String[] arguments) throws Exception {
    // A program run from its source has no service loader that sees the driver.
    Class.forName("com.clickhouse.jdbc.Driver");
    Properties properties = new Properties();
    properties.setProperty("user", arguments[1]);
    properties.setProperty("password", arguments[2]);
    if (!arguments[3].equals("default")) properties.setProperty("compress", arguments[3]);
    String table = "jdbc_" + arguments[3];
    String text = "it's \"quoted\"\n\nDROP TABLE x; end \\ ` ? \u00e9";
    UUID id = UUID.fromString("6f9619ff-8b86-d011-b42d-00c04fc964ff");
    Timestamp at = Timestamp.from(Instant.ofEpochMilli(1_700_000_000_123L));
    BigDecimal price = new BigDecimal("12345.6789");
    int rows = 500;

    try (Connection connection = DriverManager.getConnection("jdbc:clickhouse://127.0.0.1:" + arguments[0] + "/default", properties)) {
      same(connection.isValid(5), true, "valid");
      try (Statement statement = connection.createStatement()) {
        statement.execute("CREATE TABLE " + table + " (u UInt64, i Int64, s String, at DateTime64(3), n Nullable(Int32),"
            + " l LowCardinality(String), a Array(String), m Map(String, Int64), d Decimal(18, 4), id UUID)"
            + " ENGINE = MergeTree ORDER BY u");
      }
      try (PreparedStatement insert = connection.prepareStatement(
          "INSERT INTO " + table + " (u, i, s, at, n, l, d, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")) {
        for (int row = 0; row < rows; row += 1) {
          insert.setLong(1, row);
          insert.setLong(2, Long.MIN_VALUE);
          insert.setString(3, text);
          insert.setTimestamp(4, at);
          insert.setObject(5, row % 2 == 0 ? -5 : null);
          insert.setString(6, "low");
          insert.setBigDecimal(7, price);
          insert.setObject(8, id);
          insert.addBatch();
        }
        same(insert.executeBatch().length, rows, "batch");
      }
      try (Statement statement = connection.createStatement()) {
        statement.executeUpdate("INSERT INTO " + table + " (u, a, m) VALUES (100000, ['x', 'it''s'], {'k': -1})");
      }
      try (PreparedStatement select = connection.prepareStatement("SELECT * FROM " + table + " WHERE u < ? AND s = ? ORDER BY u")) {
        select.setLong(1, 100_000);
        select.setString(2, text);
        try (ResultSet found = select.executeQuery()) {
          int count = 0;
          while (found.next()) {
            same(found.getLong("u"), (long) count, "u");
            same(found.getLong("i"), Long.MIN_VALUE, "i");
            same(found.getString("s"), text, "s");
            same(found.getTimestamp("at"), at, "at");
            found.getInt("n");
            same(found.wasNull(), count % 2 == 1, "n");
            same(found.getString("l"), "low", "l");
            same(found.getBigDecimal("d"), price, "d");
            same(found.getObject("id"), id, "id");
            count += 1;
          }
          same(count, rows, "count");
        }
      }
      try (Statement statement = connection.createStatement();
          ResultSet found = statement.executeQuery("SELECT a, m FROM " + table + " WHERE u = 100000")) {
        same(found.next(), true, "row");
        same(Arrays.asList((Object[]) found.getArray("a").getArray()), List.of("x", "it's"), "a");
        same(found.getObject("m"), Map.of("k", -1L), "m");
      }
      try (Statement statement = connection.createStatement();
          ResultSet found = statement.executeQuery("SELECT number, toString(number) FROM numbers(300000)")) {
        long count = 0;
        while (found.next()) {
          same(found.getString(2), Long.toString(count), "many");
          count += 1;
        }
        same(count, 300_000L, "many");
      }
      try (Statement statement = connection.createStatement()) {
        statement.executeQuery("SELECT * FROM nowhere");
        throw new AssertionError("an unknown table was no error");
      } catch (SQLException error) {
        same(error.getErrorCode() == 60 || error.getMessage().contains("Code: 60"), true, "code of " + error);
      }
    }
    System.out.println("ok");
  }
}
