import PMConfig
import PMModel
import PMSystem
import Testing

@Suite struct EnvironmentTests {
    @Test(arguments: [
        ("A=1", ["A=1"]), ("A=1\nB=2\n", ["A=1", "B=2"]), ("# c\n\n  A=1  # d\n", ["A=1"]), ("export A=1", ["A=1"]),
        ("export\tA = 1", ["A=1"]), ("A=", ["A="]), ("A=  \nB=x", ["A=", "B=x"]), ("A=a b  c ", ["A=a b  c"]),
        ("A=a#b", ["A=a#b"]), ("A=a #b", ["A=a"]), ("A=#b", ["A="]), ("A='a #b'", ["A=a #b"]),
        ("A=\"a # b\" # c", ["A=a # b"]),
        (#"A="a\nb\t\"\\\$\q""#, ["A=a\nb\t\"\\$\\q"]), (#"A='a\nb'"#, [#"A=a\nb"#]), (#"A=a\nb"#, [#"A=a\nb"#]),
        ("A=\"line 1\nline 2\"\nB=2", ["A=line 1\nline 2", "B=2"]), ("A='x\ny'", ["A=x\ny"]),
        ("A=`it's \"x\"`", ["A=it's \"x\""]),
        ("A=\"joined \\\nline\"", ["A=joined line"]), ("A=1\r\nB=\"2\r\n3\"\r\n", ["A=1", "B=2\n3"]),
        ("\u{feff}A=1", ["A=1"]),
        ("A=$(touch /tmp/x) ${B} `date`", ["A=$(touch /tmp/x) ${B} `date`"]), ("A=a=b=c", ["A=a=b=c"]),
        ("A.b-C_1=x", ["A.b-C_1=x"]),
        ("A=1\nA=2", ["A=1", "A=2"]), ("A=ü\nB=\"é\"", ["A=ü", "B=é"]), ("A=it's", ["A=it's"]),
        ("export=1", ["export=1"]), ("", []),
    ])
    func `an environment file is read as its users expect`(text: String, expected: [String]) throws {
        let variables = try EnvironmentFile.parse(Array(text.utf8), file: "/srv/.env")
        #expect(variables.map { "\($0.name)=\($0.value ?? "?")" } == expected)
    }

    @Test(arguments: [
        ("A", "1:2: expected '=' after A"), ("A=1\nB\nC=2", "2:2: expected '=' after B"),
        ("1A=x", "1:1: expected NAME=value, a comment or an empty line"),
        ("=x", "1:1: expected NAME=value, a comment or an empty line"), ("A: x", "1:2: expected '=' after A"),
        ("A=1\n\n B = \"x", "3:6: the quote that opens the value of B is never closed"),
        ("A='x' y", "1:7: expected the end of the line after the value of A"),
        ("A=a\u{0}b", "1:3: the value of A contains a NUL character"),
    ])
    func `a wrong line is named`(text: String, expected: String) {
        let error = #expect(throws: ConfigError.self) { try EnvironmentFile.parse(Array(text.utf8), file: "/srv/.env") }
        #expect(error?.description == "/srv/.env:" + expected)
    }

    @Test func `a value that is not UTF-8 is an error`() {
        #expect(throws: ConfigError.self) { try EnvironmentFile.parse([0x41, 0x3D, 0xFF], file: "/srv/.env") }
    }

    @Test func `later files win over earlier ones, env over all, and null unsets`() {
        let result = UnitEnvironment(
            base: ["PATH": "/bin", "GONE": "x", "A": "base"],
            files: [
                ("/1", [EnvironmentVariable(name: "A", value: "1"), EnvironmentVariable(name: "B", value: "1")]),
                ("/2", [EnvironmentVariable(name: "B", value: "2"), EnvironmentVariable(name: "C", value: "2")]),
            ], env: [EnvironmentVariable(name: "C", value: "env"), EnvironmentVariable(name: "GONE", value: nil)])
        #expect(result.strings == ["A=1", "B=2", "C=env", "PATH=/bin"])
        #expect(result.entries.map(\.source) == [.file("/1"), .file("/2"), .mapping, .base])
        #expect(result["GONE"] == nil)
    }

    @Test func `a unit's files are read at each start and a missing one is named`() throws {
        let folder = try ConfigFolder()
        var mapping = Mapping(container: "web")
        mapping.envFiles = [".env"]
        let unit = ConfiguredUnit(name: "web", definition: ContainerDefinition(path: "x"), mapping: mapping)
        let error = #expect(throws: ConfigError.self) { try UnitEnvironment.of(unit, in: folder.path, base: [:]) }
        #expect(
            error?.description
                == "mapping.web.envFiles: cannot read the environment file: open \(folder.path)/.env: No such file or directory"
        )
        try folder.put("A=1\n", at: ".env")
        #expect(try UnitEnvironment.of(unit, in: folder.path, base: [:]).strings == ["A=1"])
        try folder.put("A=2\n", at: ".env")
        #expect(try UnitEnvironment.of(unit, in: folder.path, base: [:]).strings == ["A=2"])
    }
}
