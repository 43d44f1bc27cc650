import Glibc
import PMLogs
import PMModel
import PMSystem
import Testing

@Suite struct `A disk that refuses` {
    let fixture: LogFixture

    init() throws { fixture = try LogFixture() }

    /// Makes writes of the unit's output fail with ENOSPC, without being root.
    private func fillDisk() throws {
        try Files.makeDirectories(fixture.directory.path(of: "web"))
        symlink("/dev/full", fixture.directory.path(of: "web") + "/00000001.log")
    }

    private func freeDisk() throws {
        try Files.remove(fixture.directory.path(of: "web") + "/00000001.log")
    }

    @Test func `output is held while the disk is full and written when it is not`() throws {
        try fillDisk()
        let store = fixture.store()
        store.append("one\n", at: 10)
        store.append("two\n", .err, at: 11)
        #expect(store.failure?.error.code == ENOSPC && store.failure?.since == .seconds(10))
        #expect(!store.isOpen)
        #expect(store.retry(at: .seconds(12)) == false)
        #expect(store.failure?.since == .seconds(10))
        try freeDisk()
        #expect(store.retry(at: .seconds(13)))
        #expect(store.failure == nil && store.droppedBytes == 0)
        #expect(try fixture.lines() == ["out: one", "err: two"])
        var lines = try fixture.reader.lines(of: "web")
        #expect(try lines.all().map(\.time) == [.seconds(10), .seconds(11)])
    }

    @Test func `the newest 64 KB are kept, and a line says how much was lost and why`() throws {
        try fillDisk()
        let store = fixture.store()
        store.append("begun, ")
        for number in 0..<3000 { store.append("line \(number) " + String(repeating: "x", count: 50) + "\n", at: 2) }
        let dropped = store.droppedBytes
        #expect(dropped > 100_000)
        // A try that fails forgets nothing.
        #expect(store.retry(at: .seconds(8)) == false)
        try freeDisk()
        #expect(store.retry(at: .seconds(9)))
        let lines = try fixture.lines()
        let path = store.directory + "/00000001.log"
        #expect(
            lines.first
                == "notice: pm: \(dropped) bytes of output were lost here: write \(path): No space left on device")
        #expect(lines.last?.hasPrefix("out: line 2999 ") == true)
        #expect(lines.count > 500)
        store.append("later\n", at: 10)
        #expect(try fixture.lines().last == "out: later")
    }

    @Test func `what was lost in the middle does not glue two halves together`() throws {
        let store = fixture.store()
        store.append("half", at: 1)
        store.close()
        let path = store.directory + "/00000001.log"
        rename(path, path + ".kept")
        symlink("/dev/full", path)
        for _ in 0..<10 { store.append(String(repeating: "x", count: 20_000) + "\n", at: 2) }
        try Files.remove(path)
        rename(path + ".kept", path)
        #expect(store.retry(at: .seconds(3)))
        let lines = try fixture.lines()
        #expect(lines.contains("out: half¶"))
        #expect(lines.filter { $0.hasPrefix("out: half") }.count == 1)
    }

    @Test func `a directory that cannot be made is a failure like any other`() throws {
        let file = try OwnedFD.open(fixture.directory.root, O_WRONLY | O_CREAT)
        let store = fixture.store()
        store.append("one\n")
        #expect(store.failure?.error.code == ENOTDIR)
        _ = consume file
        try Files.remove(fixture.directory.root)
        #expect(store.retry(at: .seconds(2)))
        #expect(try fixture.lines() == ["out: one"])
    }

    @Test func `a file in the place of the directory is a failure and no crash`() throws {
        try Files.makeDirectories(fixture.directory.root)
        let path = fixture.directory.path(of: "web")
        _ = try OwnedFD.open(path, O_WRONLY | O_CREAT)
        let store = fixture.store("web")
        store.append("one\n")
        #expect(store.failure?.error.code == ENOTDIR || store.failure?.error.code == EEXIST)
    }

    @Test(.enabled(if: TinyDisk.isPossible, "mounting a tmpfs needs root"))
    func `a real full file system loses nothing that fits once there is room`() throws {
        let disk = try TinyDisk(at: fixture.root + "/disk", kilobytes: 64)
        let directory = LogDirectory(root: disk.path)
        let store = LogStore(SegmentFiles(directory, of: "web"), budget: DescriptorBudget())
        let filler = try OwnedFD.open(disk.path + "/filler", O_WRONLY | O_CREAT)
        try Files.write([UInt8](repeating: 0, count: 40_000), to: filler.raw, named: "filler")
        var expected: [String] = []
        for number in 0..<60 {
            expected.append("out: line \(number) " + String(repeating: "x", count: 900))
            store.append(String(expected[number].dropFirst(5)) + "\n", at: Int64(number))
        }
        #expect(store.failure?.error.code == ENOSPC)
        #expect(store.retry(at: .seconds(70)) == false)
        try Files.remove(disk.path + "/filler")
        ftruncate(filler.raw, 0)
        #expect(store.retry(at: .seconds(71)))
        #expect(store.droppedBytes == 0)
        var lines = try LogReader(directory).lines(of: "web")
        #expect(try lines.all().map(\.shown) == expected)
        store.close()
    }
}

/// A file system of a few kilobytes, unmounted with its owner.
final class TinyDisk {
    let path: String

    init(at path: String, kilobytes: Int) throws {
        self.path = path
        try Files.makeDirectories(path)
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(kilobytes)k") == 0 else { throw SystemError.last("mount", path) }
    }

    deinit {
        umount2(path, Int32(MNT_DETACH))
    }

    static let isPossible: Bool = {
        var template = Array("/tmp/pm-mount-XXXXXX".utf8CString)
        guard let path = mkdtemp(&template).map({ String(cString: $0) }) else { return false }
        defer { rmdir(path) }
        guard mount("tmpfs", path, "tmpfs", 0, "size=16k") == 0 else { return false }
        return umount2(path, Int32(MNT_DETACH)) == 0
    }()
}
