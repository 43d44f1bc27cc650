import Glibc
import PMSystem
import Synchronization
import Testing

@Suite struct AtomicFileFaultTests {
    private func stepsOfAWrite(over old: String?) throws -> [AtomicFileStep] {
        let folder = try AtomicFileFolder()
        if let old { try folder.put(old) }
        let plan = FaultPlan { (_, _) throws(SystemError) in }
        try AtomicFile(folder.file, faults: plan.faults).update { _ in Array("new".utf8) }
        return plan.steps
    }

    @Test func `the steps come in an order that is safe at each point`() throws {
        let steps = try stepsOfAWrite(over: "old")
        #expect(
            steps == [
                .openLock, .lock, .read, .create, .setOwner, .setMode, .write, .sync, .syncOld, .linkPrevious,
                .renamePrevious, .removeTemporary, .syncPrevious, .check, .exchange, .checkDisplaced,
                .removeTemporary, .syncDirectory, .removeLock,
            ])
        #expect(
            try stepsOfAWrite(over: nil) == [
                .openLock, .lock, .read, .create, .write, .sync, .linkNew, .removeTemporary, .syncDirectory,
                .removeLock,
            ])
    }

    @Test(arguments: [EIO, ENOSPC, EROFS, EACCES, EDQUOT], ["old", nil])
    func `a fault at any step leaves the old or the new file, tidy, and is told`(code: Int32, old: String?) throws {
        let steps = try stepsOfAWrite(over: old)
        for place in 1...steps.count {
            let folder = try AtomicFileFolder()
            if let old { try folder.put(old) }
            let plan = FaultPlan.failing(at: place, code: code)
            let error = Self.error {
                try AtomicFile(folder.file, faults: plan.faults).update { _ in Array("new".utf8) }
            }
            let step = steps[place - 1]
            let text = try folder.text()
            switch error {
            case nil: #expect(text == "new" && (step == .removeTemporary || step == .removeLock), "\(step)")
            case .notDurable: #expect(text == "new", "\(step)")
            case .failed: #expect(text == old, "\(step)")
            case .locked, .keepsChanging: Issue.record("\(step)")
            }
            // The next writer finds a way whatever was left.
            try AtomicFile(folder.file).update { _ in Array("next".utf8) }
            let left = try folder.names().filter { $0 != "data" && $0 != "data.previous" }
            #expect(left == [], "\(step)")
        }
    }

    @Test(arguments: ["old", nil])
    func `a writer killed before any step leaves the old or the new file`(old: String?) throws {
        let count = try stepsOfAWrite(over: old).count
        for place in 1...count {
            let folder = try AtomicFileFolder()
            if let old { try folder.put(old) }
            let plan = FaultPlan.killed(at: place)
            _ = Self.error { try AtomicFile(folder.file, faults: plan.faults).update { _ in Array("new".utf8) } }
            let text = try folder.text()
            #expect(text == old || text == "new", "step \(place)")
            if text == "new", let old { #expect(try folder.text("data.previous") == old, "step \(place)") }
            try AtomicFile(folder.file).update { _ in Array("next".utf8) }
            #expect(try folder.text() == "next")
            #expect(try folder.names().allSatisfy { $0 == "data" || $0 == "data.previous" }, "step \(place)")
        }
    }

    @Test(arguments: [EINVAL, ENOSYS, EOPNOTSUPP])
    func `where files cannot be exchanged they are replaced by rename`(code: Int32) throws {
        let folder = try AtomicFileFolder()
        try folder.put("old")
        let plan = FaultPlan { (step, _) throws(SystemError) in
            if step == .exchange { throw SystemError("rename", "", code: code) }
        }
        try AtomicFile(folder.file, faults: plan.faults).update { _ in Array("new".utf8) }
        #expect(plan.steps.contains(.replace))
        #expect(try folder.text() == "new")
        #expect(try folder.text("data.previous") == "old")
        #expect(try folder.names() == ["data", "data.previous"])
    }

    @Test(arguments: [AtomicFileStep.create, .sync, .check, .exchange])
    func `an editor's save at any moment is merged`(moment: AtomicFileStep) throws {
        for way in ["in place", "by rename"] {
            let folder = try AtomicFileFolder()
            try folder.put("old")
            let once = Mutex(true)
            let plan = FaultPlan { (step, _) throws(SystemError) in
                guard step == moment, once.withLock({ $0.clear() }) else { return }
                do {
                    try folder.put("edited", at: way == "in place" ? "data" : "save")
                    if way == "by rename" { rename(folder.path + "/save", folder.file) }
                } catch {
                    Issue.record(error)
                }
            }
            try AtomicFile(folder.file, faults: plan.faults).update { old in (old?.bytes ?? []) + Array("+pm".utf8) }
            #expect(try folder.text() == "edited+pm", "\(moment) \(way)")
            #expect(try folder.text("data.previous") == "edited", "\(moment) \(way)")
            #expect(try folder.names() == ["data", "data.previous"])
        }
    }

    @Test func `a file that appears at the last moment is not overwritten`() throws {
        let folder = try AtomicFileFolder()
        let once = Mutex(true)
        let plan = FaultPlan { (step, _) throws(SystemError) in
            if step == .linkNew, once.withLock({ $0.clear() }) { Self.put("theirs", folder) }
        }
        try AtomicFile(folder.file, faults: plan.faults).update { old in (old?.bytes ?? []) + Array("+pm".utf8) }
        #expect(try folder.text() == "theirs+pm")
    }

    @Test func `a program that never stops saving is refused with its file whole`() throws {
        let folder = try AtomicFileFolder()
        try folder.put("old")
        let saves = Mutex(0)
        let wasChecked = Mutex(false)
        let plan = FaultPlan { (step, _) throws(SystemError) in
            // After the last look and before the exchange, where only the displaced file tells of it.
            if step == .exchange, wasChecked.withLock({ $0 }) {
                saves.withLock { $0 += 1 }
                Self.put("save \(saves.withLock { $0 })", folder)
            }
            wasChecked.withLock { $0 = step == .check }
        }
        #expect(throws: AtomicFileError.keepsChanging(folder.file)) {
            try AtomicFile(folder.file, faults: plan.faults).update { _ in Array("new".utf8) }
        }
        #expect(try folder.text() == "save 5")
        #expect(try folder.names() == ["data", "data.previous"])
    }

    @Test func `many writers at once lose nothing`() async throws {
        let folder = try AtomicFileFolder()
        try folder.put("")
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for turn in 0..<25 {
                        let line = Array("\(writer).\(turn)\n".utf8)
                        let error = Self.error {
                            var file = try AtomicFile(folder.file)
                            file.lockTimeout = .seconds(60)
                            try file.update { old in (old?.bytes ?? []) + line }
                        }
                        #expect(error == nil)
                    }
                }
            }
        }
        let lines = try #require(try folder.text()).split(separator: "\n")
        #expect(Set(lines).count == 200)
        #expect(lines.count == 200)
        for writer in 0..<8 {
            // One writer's lines stay in their order.
            #expect(lines.filter { $0.hasPrefix("\(writer).") } == (0..<25).map { "\(writer).\($0)" })
        }
        #expect(try folder.names() == ["data", "data.previous"])
    }

    private static func put(_ text: String, _ folder: AtomicFileFolder) {
        do { try folder.put(text) } catch { Issue.record(error) }
    }

    private static func error(_ body: () throws -> Void) -> AtomicFileError? {
        do {
            try body()
            return nil
        } catch {
            guard let error = error as? AtomicFileError else {
                Issue.record(error)
                return nil
            }
            return error
        }
    }
}

extension Bool {
    /// Makes it false; says whether it was true.
    mutating func clear() -> Bool {
        defer { self = false }
        return self
    }
}
