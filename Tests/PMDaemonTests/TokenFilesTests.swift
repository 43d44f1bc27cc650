import Glibc
import PMSystem
import PMTestSupport
import Testing

@testable import PMDaemon

/// The files that hold tokens of clients.
@Suite(.loop) struct TokenFilesTests {
    @PMActor private static func with(_ body: @PMActor (TestProject, String, TokenFiles) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.writeSecret("token", " 0123456789abcdef\n")
            try body(project, project.directory + "/token", TokenFiles { _ in })
        }
    }

    @Test @PMActor func `a token is the text of its file, which is read again when it has changed`() async throws {
        try await Self.with { project, path, files in
            #expect(files.holds(path, "0123456789abcdef"))
            for text in ["0123456789abcdeX", "0123456789abcde", " 0123456789abcdef", ""] {
                #expect(!files.holds(path, text))
            }
            try project.writeSecret("token", "another-token-of-ours")
            #expect(!files.holds(path, "0123456789abcdef") && files.holds(path, "another-token-of-ours"))
        }
    }

    @Test @PMActor func `a file that holds no token lets nobody in`() async throws {
        try await Self.with { project, path, files in
            let long = String(repeating: "a", count: 5000)
            for text in ["", "short", "two words of a text", long] {
                try project.writeSecret("token", text)
                #expect(!files.holds(path, text), "\(text.prefix(20))")
            }
            try Files.remove(path)
            #expect(!files.holds(path, "") && !files.holds(path, "0123456789abcdef"))
            #expect(mkfifo(path, 0o600) == 0)
            #expect(!files.holds(path, "0123456789abcdef"), "a FIFO would keep the daemon waiting")
        }
    }

    @Test(arguments: [0o604, 0o602, 0o620, 0o607, 0o644, 0o660] as [mode_t])
    @PMActor func `a file that others can read or change lets nobody in`(mode: mode_t) async throws {
        try await Self.with { _, path, files in
            chmod(path, mode)
            #expect(!files.holds(path, "0123456789abcdef"))
            chmod(path, 0o640)
            #expect(files.holds(path, "0123456789abcdef"))
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give a file away")) @PMActor
    func `a file of another user lets nobody in`() async throws {
        try await Self.with { _, path, files in
            chown(path, 65533, 0)
            #expect(!files.holds(path, "0123456789abcdef"))
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give folders away"))
    @PMActor func `a token in a folder of another user lets nobody in`() async throws {
        try await Self.with { project, path, files in
            #expect(files.holds(path, "0123456789abcdef"))
            #expect(chown(project.directory, 52_001, 52_001) == 0)
            #expect(!files.holds(path, "0123456789abcdef"), "that user could put a link to a known text there")
        }
    }
}
