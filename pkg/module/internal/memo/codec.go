// SPDX-License-Identifier: Apache-2.0

package memo

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
)

// The types of values, as an entry has them before each.
const (
	tagNull = iota
	tagFalse
	tagTrue
	tagInt
	tagFloat
	tagString
	tagList
	tagMap
)

// appendValue appends a value as its JSON would decode: nil, bool, int64, float64,
// string, []any and map[string]any. Any other is an error.
func appendValue(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, tagNull), nil
	case bool:
		if v {
			return append(b, tagTrue), nil
		}
		return append(b, tagFalse), nil
	case int64:
		return binary.AppendVarint(append(b, tagInt), v), nil
	case float64:
		return binary.LittleEndian.AppendUint64(append(b, tagFloat), math.Float64bits(v)), nil
	case string:
		return appendString(append(b, tagString), v), nil
	case []any:
		b = binary.AppendUvarint(append(b, tagList), uint64(len(v)))
		for _, item := range v {
			var err error
			if b, err = appendValue(b, item); err != nil {
				return nil, err
			}
		}
		return b, nil
	case map[string]any:
		b = binary.AppendUvarint(append(b, tagMap), uint64(len(v)))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			var err error
			if b, err = appendValue(appendString(b, key), v[key]); err != nil {
				return nil, err
			}
		}
		return b, nil
	}
	return nil, fmt.Errorf("a value of type %T", v)
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decode returns the value that appendValue has appended to nothing.
func decode(data []byte) (v any, err error) {
	r := reader{rest: string(data)} // of which the strings are parts
	v = r.value(0)
	if r.failed || r.rest != "" {
		return nil, errDamaged
	}
	return v, nil
}

// maxNesting bounds the depth of a value.
const maxNesting = 1000

type reader struct {
	rest   string
	failed bool
}

func (r *reader) value(depth int) any {
	if depth > maxNesting {
		r.failed = true
	}
	tag := r.take(1)
	if r.failed {
		return nil
	}
	switch tag[0] {
	case tagNull:
		return nil
	case tagFalse, tagTrue:
		return tag[0] == tagTrue
	case tagInt:
		u := r.uvarint() // as binary.AppendVarint writes an int64
		return int64(u>>1) ^ -int64(u&1)
	case tagFloat:
		if bits := r.take(8); !r.failed {
			return math.Float64frombits(binary.LittleEndian.Uint64([]byte(bits)))
		}
	case tagString:
		return r.take(r.uvarint())
	case tagList:
		return r.list(depth)
	case tagMap:
		return r.mapping(depth)
	default:
		r.failed = true
	}
	return nil
}

func (r *reader) list(depth int) any {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.failed = true
		return nil
	}
	list := make([]any, n)
	for i := range list {
		list[i] = r.value(depth + 1)
	}
	return list
}

func (r *reader) mapping(depth int) any {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.failed = true
		return nil
	}
	m := make(map[string]any, n)
	for range n {
		key := r.take(r.uvarint())
		m[key] = r.value(depth + 1)
	}
	return m
}

func (r *reader) uvarint() uint64 {
	var n uint64
	for shift := 0; shift < 64; shift += 7 {
		b := r.take(1)
		if r.failed {
			return 0
		}
		n |= uint64(b[0]&0x7f) << shift
		if b[0] < 0x80 {
			return n
		}
	}
	r.failed = true
	return 0
}

func (r *reader) take(n uint64) string {
	if n > uint64(len(r.rest)) {
		r.failed = true
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}
