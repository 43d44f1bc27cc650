import Glibc
import PMSystem
import PMTestSupport
import Testing

@testable import PMDaemon

/// The bound of the file that standard error is.
@Suite struct DaemonLogFileTests {
    /// A file of this length, open for appending.
    private func open(_ path: String, length: Int64, _ flags: Int32 = O_APPEND) throws -> OwnedFD {
        let file = try OwnedFD.open(path, O_WRONLY | O_CREAT | flags, mode: 0o600)
        #expect(ftruncate(file.raw, off_t(length)) == 0)
        return file
    }

    @Test func `what is full moves to a second file, and both writers go on at the start`() async throws {
        try await TestProject.with { project in
            let path = project.directory + "/pmd.log"
            let file = try open(path, length: DaemonLogFile.limitBytes)
            let other = try OwnedFD.open(path, O_WRONLY | O_APPEND)
            var bound = DaemonLogFile(path, descriptor: file.raw)
            try bound.wrote(10)
            #expect(try Files.status(path)?.size == 0)
            let moved = try #require(try Files.status(path + ".1"))
            #expect(moved.size == DaemonLogFile.limitBytes && moved.mode == 0o600)
            try Files.write("one\n".utf8, to: other.raw, named: path)
            try Files.write("two\n".utf8, to: file.raw, named: path)
            #expect(try Files.read(path) == Array("one\ntwo\n".utf8))
        }
    }

    @Test func `a file below the bound, of another name, or not opened for appending stays`() async throws {
        try await TestProject.with { project in
            let path = project.directory + "/pmd.log"
            let small = try open(path, length: DaemonLogFile.limitBytes - 1)
            var bound = DaemonLogFile(path, descriptor: small.raw)
            try bound.wrote(10)
            let foreign = try open(project.directory + "/other", length: DaemonLogFile.limitBytes)
            bound = DaemonLogFile(path, descriptor: foreign.raw)
            try bound.wrote(10)
            let written = try open(path, length: DaemonLogFile.limitBytes, 0)
            bound = DaemonLogFile(path, descriptor: written.raw)
            try bound.wrote(10)
            #expect(try Files.status(path)?.size == DaemonLogFile.limitBytes)
            #expect(try Files.status(project.directory + "/other")?.size == DaemonLogFile.limitBytes)
            #expect(try Files.status(path + ".1") == nil)
        }
    }

    @Test func `after the first look the next one comes with 64 KB`() async throws {
        try await TestProject.with { project in
            let path = project.directory + "/pmd.log"
            let file = try open(path, length: 0)
            var bound = DaemonLogFile(path, descriptor: file.raw)
            try bound.wrote(10)
            #expect(ftruncate(file.raw, off_t(DaemonLogFile.limitBytes)) == 0)
            try bound.wrote((64 << 10) - 1)
            #expect(try Files.status(path)?.size == DaemonLogFile.limitBytes)
            try bound.wrote(1)
            #expect(try Files.status(path)?.size == 0)
        }
    }

    @Test func `a second file that cannot be written loses nothing, and is an error`() async throws {
        try await TestProject.with { project in
            let path = project.directory + "/pmd.log"
            let file = try open(path, length: DaemonLogFile.limitBytes)
            try Files.makeDirectory(path + ".1", mode: 0o700)
            var bound = DaemonLogFile(path, descriptor: file.raw)
            #expect(throws: SystemError.self) { try bound.wrote(10) }
            #expect(try Files.status(path)?.size == DaemonLogFile.limitBytes)
        }
    }
}
