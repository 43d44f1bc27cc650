import Glibc
import PMSystem
import Synchronization
import Testing

@Suite struct AtomicFileTests {
    private func update(_ path: String, _ text: String, _ faults: AtomicFileFaults = .none) throws {
        try AtomicFile(path, faults: faults).update { _ in Array(text.utf8) }
    }

    @Test func `a file is made, replaced, and its previous content kept`() throws {
        let folder = try AtomicFileFolder()
        try update(folder.file, "one")
        #expect(try folder.names() == ["data"])
        try update(folder.file, "two")
        try update(folder.file, "three")
        #expect(try folder.text() == "three")
        #expect(try folder.text("data.previous") == "two")
        #expect(try folder.names() == ["data", "data.previous"])
    }

    @Test func `the change sees what is there and may leave it alone`() throws {
        let folder = try AtomicFileFolder()
        #expect(try AtomicFile(folder.file).update { old in old?.bytes }.bytes == nil)
        #expect(try folder.names() == [])
        try folder.put("one")
        let inode = try Files.status(folder.file)?.inode
        let content = try AtomicFile(folder.file).update { _ in Array("one".utf8) }
        #expect(content.bytes == Array("one".utf8) && content.status?.inode == inode)
        #expect(try Files.status(folder.file)?.inode == inode)
        #expect(try folder.names() == ["data"])
    }

    @Test func `permissions and owner are kept`() throws {
        let folder = try AtomicFileFolder()
        try folder.put("one")
        chmod(folder.file, 0o640)
        if geteuid() == 0 { chown(folder.file, 1234, 4321) }
        let before = try Files.status(folder.file)
        try update(folder.file, "two")
        let after = try Files.status(folder.file)
        #expect(after?.mode == 0o640)
        #expect(after?.owner == before?.owner)
        #expect(after?.group == before?.group)
        #expect(try Files.status(folder.file + ".previous")?.mode == 0o640)
    }

    @Test func `a lock that is another file's second name is neither taken nor changed`() throws {
        let folder = try AtomicFileFolder()
        try folder.put("one")
        try folder.put("of somebody else", at: "other")
        if geteuid() == 0 { chown(folder.file, 1234, 4321) }
        #expect(link(folder.path + "/other", folder.file + ".lock") == 0)
        let before = try Files.status(folder.path + "/other")
        let error = #expect(throws: AtomicFileError.self) { try update(folder.file, "two") }
        #expect(error.map { "\($0)" }?.contains("data.lock") == true)
        #expect(try Files.status(folder.path + "/other")?.owner == before?.owner)
        #expect(try folder.text() == "one")
        // What a killed writer left is taken as it is.
        unlink(folder.path + "/other")
        try update(folder.file, "two")
        #expect(try folder.text() == "two")
        #expect(try folder.names() == ["data", "data.previous"])
    }

    @Test func `a symbolic link stays one and its target is replaced`() throws {
        let (folder, other) = (try AtomicFileFolder(), try AtomicFileFolder())
        try other.put("one")
        symlink(other.file, folder.file)
        symlink("data", folder.path + "/second")
        try update(folder.path + "/second", "two")
        #expect(try other.text() == "two")
        #expect(try Files.linkTarget(folder.file) == other.file)
        #expect(try folder.names() == ["data", "second"])
        #expect(try other.names() == ["data", "data.previous"])
    }

    @Test func `a symbolic link to nothing yet makes its target, one to itself is an error`() throws {
        let folder = try AtomicFileFolder()
        symlink("target", folder.path + "/link")
        try update(folder.path + "/link", "one")
        #expect(try folder.text("target") == "one")
        symlink("round", folder.path + "/round")
        #expect(throws: AtomicFileError.failed(SystemError("open", folder.path + "/round", code: ELOOP))) {
            try update(folder.path + "/round", "one")
        }
    }

    @Test func `what a killed writer left behind is no obstacle`() throws {
        let folder = try AtomicFileFolder()
        try folder.put("one")
        for name in ["data.tmp", "data.lock", "data.previous.tmp"] { try folder.put("left", at: name) }
        link(folder.file, folder.file + ".previous")
        try update(folder.file, "two")
        #expect(try folder.names() == ["data", "data.previous"])
        #expect(try folder.text("data.previous") == "one")
    }

    @Test func `a directory, a device or a missing folder is an error`() throws {
        let folder = try AtomicFileFolder()
        #expect(throws: AtomicFileError.failed(SystemError("read", folder.path, code: EISDIR))) {
            try AtomicFile(folder.path).read()
        }
        #expect(throws: AtomicFileError.failed(SystemError("read", "/dev/null", code: EINVAL))) {
            try AtomicFile("/dev/null").read()
        }
        let lock = folder.path + "/no/data.lock"
        #expect(throws: AtomicFileError.failed(SystemError("open", lock, code: ENOENT))) {
            try update(folder.path + "/no/data", "one")
        }
    }

    @Test func `a longer file than the limit is an error`() throws {
        let folder = try AtomicFileFolder()
        try folder.put("four")
        var file = try AtomicFile(folder.file)
        file.limit = 3
        #expect(throws: AtomicFileError.failed(SystemError("read", folder.file, code: EFBIG))) { try file.read() }
    }

    @Test func `an error of the change is passed on and leaves nothing behind`() throws {
        struct Refused: Error {}
        let folder = try AtomicFileFolder()
        try folder.put("one")
        #expect(throws: Refused.self) { try AtomicFile(folder.file).update { _ in throw Refused() } }
        #expect(try folder.names() == ["data"])
    }

    @Test func `a writer that never ends is named after some lockTimeout`() throws {
        let folder = try AtomicFileFolder()
        let held = try OwnedFD.open(folder.file + ".lock", O_RDWR | O_CREAT)
        flock(held.raw, LOCK_EX)
        var file = try AtomicFile(folder.file)
        file.lockTimeout = .milliseconds(20)
        #expect(throws: AtomicFileError.locked(folder.file + ".lock")) { try file.update { _ in [1] } }
        flock(held.raw, LOCK_UN)
        try file.update { _ in [1] }
    }

    @Test func `a full disk leaves the old file whole and says so`() throws {
        // /dev/full stands in for the temporary file: every write(2) to it fails with ENOSPC.
        let folder = try AtomicFileFolder()
        try folder.put("one")
        let file = folder.file
        let plan = FaultPlan { (step, _) throws(SystemError) in
            if step == .write { throw SystemError("write", file + ".tmp", code: ENOSPC) }
        }
        let error = #expect(throws: AtomicFileError.self) { try update(file, "two", plan.faults) }
        #expect(error?.description == "write \(file).tmp: No space left on device")
        #expect(try folder.text() == "one")
        #expect(try folder.names() == ["data"])
    }
}
