import Glibc
import PMModel
import PMSystem
import Testing

@testable import PMConfig

/// Secrets, and the files that they are in.
@Suite struct SecretTests {
    private func with(_ text: String, mode: mode_t = 0o600, _ body: (SecretReader, String) throws -> Void) throws {
        let folder = try ConfigFolder()
        let path = folder.path + "/db"
        try Files.replace(path, with: Array(text.utf8))
        chmod(path, mode)
        let environment = ["CREDENTIALS_DIRECTORY": folder.path]
        let reader = SecretReader(directory: folder.path, environment: environment, user: geteuid())
        // The folder goes with its object.
        try withExtendedLifetime(folder) { try body(reader, path) }
    }

    private func refusal(_ reader: SecretReader, _ source: String) throws -> ConfigError? {
        let variable = SecretVariable(name: "DB", source: try #require(SecretVariable.Source(source)))
        return #expect(throws: ConfigError.self) { try reader.read(variable, of: "web") }
    }

    @Test(arguments: ["file:db", "credential:db"]) func `the content is the value, without the line end`(source: String)
        throws
    {
        try with("hunter2\n") { reader, _ in
            let variable = SecretVariable(name: "DB", source: try #require(SecretVariable.Source(source)))
            #expect(try reader.read(variable, of: "web") == .init(value: "hunter2", warning: nil))
        }
    }

    @Test func `a file that all may read is used with a warning, one that others may write is not`() throws {
        try with("hunter2", mode: 0o644) { reader, path in
            let secret = try reader.read(SecretVariable(name: "DB", source: .file("db")), of: "web")
            #expect(secret.warning == "every user of this machine can read the secret in \(path) (chmod o= \(path))")
        }
        try with("hunter2", mode: 0o666) { reader, path in
            let error = try refusal(reader, "file:db")
            #expect(
                error?.kind == .forbidden && error?.description.contains("\(path) can be written by everybody") == true)
        }
    }

    @Test(arguments: ["", "a\0b", "\n"]) func `what is no text is refused, and no message has a part of it`(
        text: String
    ) throws {
        try with(text) { reader, path in
            let error = try refusal(reader, "file:db")
            #expect(error?.description.hasPrefix("mapping.web.env.DB: cannot use the secret file:db: \(path) ") == true)
        }
    }

    @Test func `a missing file and a missing credentials directory are named`() throws {
        try with("x") { reader, _ in
            let missing = try refusal(reader, "file:/nowhere/db")
            #expect(missing?.description.contains("there is no file") == true)
        }
        let plain = SecretReader(directory: "/", environment: [:], user: geteuid())
        let error = try refusal(plain, "credential:db")
        #expect(error?.kind == .missing && error?.hint?.contains("LoadCredential=db:FILE") == true)
    }

    @Test(arguments: [
        "", "file:", "file://", "file://x", "credential:", "credential:a/b", "credential:..", "hunter2", "env:A",
    ]) func `other places are refused without their text`(text: String) throws {
        #expect(SecretVariable.Source(text) == nil)
        let json =
            "{\"containers\":{\"a\":{\"path\":\"a\"}},\"mapping\":{\"a\":{\"env\":{\"A\":{\"secret\":\"\(text)\"}}}}}"
        let error = #expect(throws: ConfigError.self) { try ConfigFile(path: "/c", bytes: Array(json.utf8)) }
        #expect(error?.problems.map(\.message) == ["expected the place of a secret"])
    }
}
