// Checks one of our logs with golang.org/x/mod's sumdb/note and sumdb/tlog, which share no code with us.
//
//	oracle log VKEY DIR OLD...          the log in DIR (the folder that holds "checkpoint") extends its checkpoints of OLD leaves
//	oracle proof VKEY FILE LEAF         a C2SP .tlog-proof shows that LEAF is under the checkpoint in it
//
// Built without a network: GO111MODULE=off GOPATH=/usr/share/gocode go build (Debian: golang-go, golang-golang-x-mod-dev).
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8 // C2SP tlog-tiles

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
}

func must(holds bool, format string, about ...interface{}) {
	if !holds {
		check(fmt.Errorf(format, about...))
	}
}

func read(path ...string) []byte {
	data, err := os.ReadFile(filepath.Join(path...))
	check(err)
	return data
}

// open takes a checkpoint only when the log's key signed it.
func open(vkey string, data []byte) tlog.Tree {
	verifier, err := note.NewVerifier(vkey)
	check(err)
	signed, err := note.Open(data, note.VerifierList(verifier))
	check(err)
	origin, rest, _ := strings.Cut(signed.Text, "\n")
	must(origin == verifier.Name(), "a checkpoint of %q", origin)
	tree, err := tlog.ParseTree([]byte("go.sum database tree\n" + rest)) // the library knows one log's name only
	check(err)
	return tree
}

// folder reads tiles where C2SP puts them: the height is not in the path, and leaves are under "entries".
type folder string

func (f folder) path(t tlog.Tile) string {
	path := strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/", height))
	return filepath.Join(string(f), "tile", strings.Replace(path, "data/", "entries/", 1))
}

func (f folder) Height() int { return height }

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	all := make([][]byte, len(tiles))
	for i, t := range tiles {
		data, err := os.ReadFile(f.path(t))
		if err != nil {
			return nil, err
		}
		all[i] = data
	}
	return all, nil
}

func leaves(bundle []byte) (all [][]byte) {
	for len(bundle) > 0 {
		must(len(bundle) >= 2, "a bundle ends inside a length")
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		must(len(bundle) >= end, "a bundle ends inside a leaf")
		all, bundle = append(all, bundle[2:end]), bundle[end:]
	}
	return all
}

// tiles of a tree of n leaves, and not those of the sizes it had before.
func tiles(n int64) (all []tlog.Tile) {
	for level := 0; n > 0; level, n = level+1, n>>height {
		for i := int64(0); i < n>>height; i++ {
			all = append(all, tlog.Tile{H: height, L: level, N: i, W: 1 << height})
		}
		if width := int(n % (1 << height)); width > 0 {
			all = append(all, tlog.Tile{H: height, L: level, N: n >> height, W: width})
		}
	}
	return all
}

func checkLog(vkey, dir string, olds []string) {
	tree := open(vkey, read(dir, "checkpoint"))
	files := folder(dir)
	hashes := tlog.TileHashReader(tree, files) // whatever it gives is proved to be in the tree

	for _, t := range tiles(tree.N) {
		proved, err := tlog.ReadTileData(t, hashes)
		check(err)
		must(bytes.Equal(proved, read(files.path(t))), "%s is another tile", t.Path())
		if t.L != 0 {
			continue
		}
		bundle := leaves(read(files.path(tlog.Tile{H: height, L: -1, N: t.N, W: t.W})))
		must(len(bundle) == t.W, "bundle %d has %d leaves", t.N, len(bundle))
		for i, leaf := range bundle {
			n := t.N<<height + int64(i)
			proof, err := tlog.ProveRecord(tree.N, n, hashes)
			check(err)
			check(tlog.CheckRecord(proof, tree.N, tree.Hash, n, tlog.RecordHash(leaf)))
		}
	}
	for _, old := range olds {
		n, err := strconv.ParseInt(old, 10, 64)
		check(err)
		before := open(vkey, read(dir, "checkpoints", fmt.Sprintf("%020d", n)))
		must(before.N == n, "checkpoint %d is of %d leaves", n, before.N)
		proof, err := tlog.ProveTree(tree.N, n, hashes)
		check(err)
		check(tlog.CheckTree(proof, tree.N, tree.Hash, n, before.Hash))
	}
	fmt.Printf("%d leaves, %d older checkpoints\n", tree.N, len(olds))
}

func checkProof(vkey string, data, leaf []byte) {
	head, checkpoint, _ := strings.Cut(string(data), "\n\n") // https://c2sp.org/tlog-proof
	lines := strings.Split(head, "\n")
	must(lines[0] == "c2sp.org/tlog-proof@v1", "not a proof: %q", lines[0])
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	must(len(lines) > 0 && strings.HasPrefix(lines[0], "index "), "no index")
	n, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	check(err)
	var proof tlog.RecordProof
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		check(err)
		proof = append(proof, hash)
	}
	tree := open(vkey, []byte(checkpoint))
	check(tlog.CheckRecord(proof, tree.N, tree.Hash, n, tlog.RecordHash(leaf)))
	fmt.Printf("leaf %d of %d\n", n, tree.N)
}

func main() {
	must(len(os.Args) >= 4, "usage: oracle log VKEY DIR OLD... | oracle proof VKEY FILE LEAF")
	switch arguments := os.Args[3:]; os.Args[1] {
	case "log":
		checkLog(os.Args[2], arguments[0], arguments[1:])
	case "proof":
		must(len(arguments) == 2, "usage: oracle proof VKEY FILE LEAF")
		checkProof(os.Args[2], read(arguments[0]), read(arguments[1]))
	default:
		must(false, "what is %q?", os.Args[1])
	}
}
