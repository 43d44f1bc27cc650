import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm types` {
    /// A service whose metadata is what a hostile one could send.
    static func prepare(_ project: TestProject) throws {
        let commands: JSONValue = [
            "name": "odd",
            "commands": [
                [
                    "name": "greet",
                    "config": [
                        "": ["inject": ["params.0", "params.1"]],
                        "cli": [
                            "usage": "greet <who> [title]", "inject": ["params.0", "params.1"],
                            "options": ["loud": ["aliases": ["l"], "doc": "in capitals"]],
                        ],
                        "doc": ["description": "Says */ hello"],
                    ],
                ],
                ["name": "add-all", "config": ["": ["inject": ["params"]]]],
                ["name": "del", "config": ["": ["inject": ["params.0"]], "cli": ["usage": "del <delete>"]]],
                ["name": "$stop", "config": ["": ["inject": []]]],
            ],
        ]
        try project.write(
            "odd.cjs",
            """
            const { Container } = require('@akala/pm');
            const { commands } = \(commands.text);
            const container = new Container('odd');
            for (const command of commands) container.register(command, (...words) => words.join(' '));
            container.serve();
            """)
        try project.configure(["odd": ["path": "./odd.cjs", "commandable": true]])
        try project.startDaemon()
        try project.must("start", "odd", "-w")
    }

    @Test func `declares the commands of services, and nothing that TypeScript would misread`() async throws {
        try await TestProject.with { project in
            try Self.prepare(project)
            let expected = """
                // Written by `pm types`: the commands of services, for sidecar<Services>() of @akala/pm.
                export interface Services {
                  odd: {
                    /** Says * / hello: greet <who> [title] */
                    greet(who: any, title?: any): Promise<any>;
                    /** add-all */
                    "add-all"(...params: any[]): Promise<any>;
                    /** del <delete> */
                    del(param0: any): Promise<any>;
                  };
                }

                """
            #expect(try project.must("types") == expected)
            #expect(try project.must("types", "odd") == expected)
            #expect(try project.pm("types", "none").code == 66)
            // The same commands, for people.
            for words in [["odd"], ["odd", "--help"]] {
                let text = try project.run([TestPaths.pm] + words)
                #expect(text.code == 0 && text.output.hasPrefix("USAGE: pm odd <command> [<args>]\n"), "\(text)")
                #expect(text.output.contains("greet <who> [title]  Says */ hello") && !text.output.contains("$stop"))
            }
            let help = try project.must("odd", "greet", "--help")
            #expect(
                help
                    == "OVERVIEW: Says */ hello\n\nUSAGE: pm odd greet <who> [title]\n\nOPTIONS:\n  --loud, -l  in capitals\n"
            )
            #expect(try project.must("odd", "add-all", "--", "--help") == "--,--help\n")
            #expect(try project.pm("nosuch").code == 64)
        }
    }
}
