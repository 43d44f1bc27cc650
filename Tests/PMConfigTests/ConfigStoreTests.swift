import Glibc
import PMConfig
import PMModel
import PMSystem
import Testing

@Suite struct ConfigStoreTests {
    @Test func `a configuration is made with its folders where there is none`() throws {
        let folder = try ConfigFolder()
        let store = try ConfigStore(path: folder.path + "/a/b/.pm.config.json")
        let missing = #expect(throws: ConfigError.self) { try store.load() }
        #expect(missing?.kind == .missing)
        #expect(throws: ConfigError.self) { try store.edit([.setAutostart("a", true)]) }
        #expect(try store.loadOrCreate().configuration == Configuration())
        #expect(try folder.text("a/b/.pm.config.json") == ConfigStore.empty)
        try store.edit([.setAutostart("a", true)])
        #expect(try store.loadOrCreate().configuration.mapping("a")?.isAutostart == true)
        for name in [".pm.config.json", ".pm.config.json.previous"] { unlink(folder.path + "/a/b/" + name) }
        for name in ["a/b", "a"] { rmdir(folder.path + "/" + name) }
    }

    @Test func `what stood there before the last change is kept beside`() throws {
        let folder = try ConfigFolder("{}")
        try folder.store().edit([.setAutostart("a", true)])
        #expect(try folder.text(".pm.config.json.previous") == "{}")
        try folder.store().edit([.setAutostart("a", true)])
        #expect(try folder.text(".pm.config.json.previous") == "{}")
    }

    @Test func `a file with errors is not touched`() throws {
        for text in ["", "{", "{\"mapping\": 1}", "\u{0}"] {
            let folder = try ConfigFolder(text)
            let error = #expect(throws: ConfigError.self) { try folder.store().edit([.setAutostart("a", true)]) }
            #expect(error?.kind == .invalid)
            #expect(throws: ConfigError.self) { try folder.store().loadOrCreate() }
            #expect(try folder.text() == text)
        }
    }

    @Test func `an empty file points to the previous one`() throws {
        let folder = try ConfigFolder("")
        let error = #expect(throws: ConfigError.self) { try folder.store().load() }
        #expect(error?.description == "\(folder.file):1:1: the file is empty")
        #expect(error?.hint?.contains(".pm.config.json.previous") == true)
    }

    @Test func `a directory in its place is told`() throws {
        let folder = try ConfigFolder()
        let error = #expect(throws: ConfigError.self) { try ConfigStore(path: folder.path).load() }
        #expect(error?.kind == .storage)
        #expect(error?.description == "cannot read \(folder.path): read \(folder.path): Is a directory")
    }

    @Test(arguments: [
        (ENOSPC, "No space left on device", "make room"), (EROFS, "Read-only file system", "mounted read-only"),
        (EACCES, "Permission denied", "run pm as the user"), (EIO, "Input/output error", "the disk reports an error"),
        (EMFILE, "Too many open files", "ulimit -n"),
    ])
    func `a fault is told with its next step and the file is whole`(code: Int32, reason: String, hint: String) throws {
        let folder = try ConfigFolder("{}")
        let store = try ConfigStore(
            path: folder.file,
            faults: AtomicFileFaults { (step, path) throws(SystemError) in
                if step == .sync { throw SystemError("fsync", path, code: code) }
            })
        let error = #expect(throws: ConfigError.self) { try store.edit([.setAutostart("a", true)]) }
        #expect(error?.kind == (code == EROFS || code == EACCES ? .forbidden : .storage))
        #expect(error?.description == "cannot change \(folder.file): fsync \(folder.file).tmp: \(reason)")
        #expect(error?.hint?.contains(hint) == true)
        #expect(try folder.text() == "{}")
    }

    @Test func `a change that may not be on the disk says so`() throws {
        let folder = try ConfigFolder("{}")
        let store = try ConfigStore(
            path: folder.file,
            faults: AtomicFileFaults { (step, path) throws(SystemError) in
                if step == .syncDirectory { throw SystemError("fsync", path, code: EIO) }
            })
        let error = #expect(throws: ConfigError.self) { try store.edit([.setAutostart("a", true)]) }
        #expect(error?.description.contains("may not survive a power failure") == true)
        #expect(try folder.store().load().configuration.mapping("a")?.isAutostart == true)
    }

    @Test func `a lock that is never given back is a busy file`() throws {
        let folder = try ConfigFolder("{}")
        let held = try OwnedFD.open(folder.file + ".lock", O_RDWR | O_CREAT)
        flock(held.raw, LOCK_EX)
        let error = #expect(throws: ConfigError.self) { try folder.store().edit([.setAutostart("a", true)]) }
        #expect(error?.kind == .locked)
        #expect(error?.description.contains("holds \(folder.file).lock") == true)
    }

    @Test func `a store without lockTimeout does not wait for another writer`() throws {
        let folder = try ConfigFolder("{}")
        let store = try ConfigStore(path: folder.file, lockTimeout: .zero)
        let held = try OwnedFD.open(folder.file + ".lock", O_RDWR | O_CREAT)
        flock(held.raw, LOCK_EX)
        let began = ContinuousClock.now
        for _ in 0..<20 {
            let error = #expect(throws: ConfigError.self) { try store.edit([.setAutostart("a", true)]) }
            #expect(error?.kind == .locked)
        }
        // Waiting once would take three seconds.
        #expect(ContinuousClock.now - began < .seconds(3))
        flock(held.raw, LOCK_UN)
        #expect(try store.edit([.setAutostart("a", true)]).configuration.mapping("a")?.isAutostart == true)
    }

    @Test func `many writers and an editor at once lose nothing`() async throws {
        let folder = try ConfigFolder("{\n  \"editor\": 0\n}\n")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    for turn in 0..<15 {
                        try await Self.untilNotBusy {
                            try folder.store().edit([.setAutostart("unit-\(writer)-\(turn)", true)])
                        }
                    }
                }
            }
            group.addTask { try Self.editByHand(folder, turns: 15) }
            try await group.waitForAll()
        }
        let file = try folder.store().load()
        #expect(file.extra("editor") == 15)
    }

    /// An editor that takes no lock: reads, changes its own key, saves by rename unless the file changed meanwhile.
    private static func editByHand(_ folder: ConfigFolder, turns: Int) throws {
        var (turn, looks) = (1, 0)
        while turn <= turns {
            let text = try folder.text()
            let edited = text.replacing("\"editor\": \(turn - 1)", with: "\"editor\": \(turn)")
            looks += 1
            // Its last save may be out of place for the moment in which it is put back, never for good.
            guard edited != text else {
                try #require(looks < 100_000, "a save was lost")
                continue
            }
            try folder.put(edited, at: "editor.tmp")
            guard try folder.text() == text else { continue }
            rename(folder.path + "/editor.tmp", folder.file)
            turn += 1
        }
    }

    private static func untilNotBusy(_ body: () throws -> Void) async throws {
        while true {
            do {
                return try body()
            } catch let error as ConfigError where error.kind == .busy || error.kind == .locked {
                await Task.yield()
            }
        }
    }
}
