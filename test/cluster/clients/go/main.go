// clickhouse-go/v2 over HTTP, unchanged: every type in and back, parameters, a batch, an error with its code.
// Usage: go run . <host:port> <user> <password> <compression: none|lz4|gzip>
package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"reflect"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"
)

func check(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func same(got, want any, what string) {
	if !reflect.DeepEqual(got, want) {
		fmt.Fprintf(os.Stderr, "%s: got %#v, want %#v\n", what, got, want)
		os.Exit(1)
	}
}

var methods = map[string]clickhouse.CompressionMethod{
	"none": clickhouse.CompressionNone,
	"lz4":  clickhouse.CompressionLZ4,
	"gzip": clickhouse.CompressionGZIP,
}

func main() {
	address, user, password, compression := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	ctx := context.Background()
	conn, err := clickhouse.Open(&clickhouse.Options{
		Protocol:    clickhouse.HTTP,
		Addr:        []string{address},
		Auth:        clickhouse.Auth{Database: "default", Username: user, Password: password},
		Compression: &clickhouse.Compression{Method: methods[compression]},
	})
	check(err, "open")
	check(conn.Ping(ctx), "ping")

	table := "go_" + compression
	check(conn.Exec(ctx, "CREATE TABLE "+table+` (
		u UInt64, i Int64, s String, at DateTime64(3, 'UTC'), n Nullable(Int32), l LowCardinality(String),
		a Array(String), m Map(String, Int64), d Decimal(18, 4), id UUID, f FixedString(3), big Int128
	) ENGINE = MergeTree ORDER BY u`), "create")

	text := "it's \"quoted\"\n\nDROP TABLE x;\x00 end \\ `"
	at := time.UnixMilli(1_700_000_000_123).UTC()
	id := uuid.MustParse("6f9619ff-8b86-d011-b42d-00c04fc964ff")
	price := decimal.RequireFromString("12345.6789")
	wide, _ := new(big.Int).SetString("-170141183460469231731687303715884105728", 10)
	five := int32(-5)
	const rows = 1000
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+table)
	check(err, "prepare")
	for row := 0; row < rows; row++ {
		var n *int32
		if row%2 == 0 {
			n = &five
		}
		err := batch.Append(uint64(1<<63)+uint64(row), int64(-1<<63), text, at, n, "low", []string{text, ""},
			map[string]int64{text: -1, "k": 2}, price, id, "abc", wide)
		check(err, "append")
	}
	check(batch.Send(), "send")

	result, err := conn.Query(ctx, "SELECT * FROM "+table+" WHERE u >= {from:UInt64} AND s = {s:String} ORDER BY u",
		clickhouse.Named("from", "9223372036854775808"), clickhouse.Named("s", text))
	check(err, "query")
	count := 0
	for result.Next() {
		var u uint64
		var i int64
		var s, l, f string
		var moment time.Time
		var n *int32
		var a []string
		var m map[string]int64
		var d decimal.Decimal
		var key uuid.UUID
		var b big.Int
		check(result.Scan(&u, &i, &s, &moment, &n, &l, &a, &m, &d, &key, &f, &b), "scan")
		same(u, uint64(1<<63)+uint64(count), "u")
		same(i, int64(-1<<63), "i")
		same(s, text, "s")
		same(moment.UTC(), at, "at")
		same(n == nil, count%2 == 1, "n")
		same(l, "low", "l")
		same(a, []string{text, ""}, "a")
		same(m, map[string]int64{text: -1, "k": 2}, "m")
		same(d.String(), price.String(), "d")
		same(key, id, "id")
		same(f, "abc", "f")
		same(b.Cmp(wide), 0, "big")
		count++
	}
	check(result.Err(), "rows")
	same(count, rows, "count")

	var sum uint64
	check(conn.QueryRow(ctx, "SELECT sum(number) FROM numbers(300000)").Scan(&sum), "sum")
	same(sum, uint64(44999850000), "sum")
	many, err := conn.Query(ctx, "SELECT number, toString(number) FROM numbers(300000)")
	check(err, "many")
	count = 0
	for many.Next() {
		var number uint64
		var name string
		check(many.Scan(&number, &name), "scan many")
		same(name, fmt.Sprint(number), "many")
		count++
	}
	check(many.Err(), "many rows")
	same(count, 300000, "many")

	_, err = conn.Query(ctx, "SELECT * FROM nowhere")
	var exception *clickhouse.Exception
	if !errors.As(err, &exception) || exception.Code != 60 {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
	fmt.Println("ok")
}
