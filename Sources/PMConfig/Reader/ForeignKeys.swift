/// Keys of other process managers that people write into a configuration, with what pm has instead.
enum ForeignKeys {
    /// What to write instead of a key, by the key; nil when no other manager has it.
    static func advice(for key: String) -> String? { pm2[key] ?? compose[key] ?? systemd[key] }

    /// All keys of the tables, for tests.
    static var all: [String] { (Array(pm2.keys) + Array(compose.keys) + Array(systemd.keys)).sorted() }

    /// Of an ecosystem file of PM2.
    private static let pm2 = [
        "apps": #"pm has "containers" (what to run) and "mapping" (how to run it)"#,
        "args": #"write "cli": ["--port", "8080"]"#,
        "autorestart": #"write "restart": "always", "on-failure" or "never""#,
        "combine_logs": #"pm log NAME shows the output of all instances; "logs" chooses where it goes"#,
        "cron_restart": "let a systemd timer or cron run pm restart NAME",
        "error_file": #"pm log NAME shows it; "logs" chooses where output goes"#,
        "exec_mode": #"write "stateless": true for the container and "instances" for the mapping"#,
        "exp_backoff_restart_delay": #"write "restart": {"delay": "100ms", "maxDelay": "30s"}"#,
        "gid": #"write "group""#,
        "ignore_watch": "pm does not watch the files of a service; pm restart NAME starts it again",
        "interpreter":
            #"write a first line such as #!/usr/bin/python3 into the program, or name the interpreter in "path" and the file in "cli""#,
        "interpreter_args":
            #"write "env": {"NODE_OPTIONS": "..."}, or name the interpreter in "path" and its arguments in "cli""#,
        "kill_signal": #"write "stop": {"signal": "SIGINT"}"#,
        "kill_timeout": #"write "stop": {"wait": "10s"}"#,
        "listen_timeout": #"write "ready": {"check": "ipc", "deadline": "10s"}"#,
        "log_date_format": "pm log has a time for each line: pm log NAME -o short",
        "log_file": #"pm log NAME shows it; "logs" chooses where output goes"#,
        "max_memory_restart": #"write "limits": {"memory": "512M"}; "restart" determines what follows"#,
        "max_restarts": #"write "restart": {"limit": 10}"#,
        "merge_logs": #"pm log NAME shows the output of all instances; "logs" chooses where it goes"#,
        "min_uptime": #"write "restart": {"resetAfter": "10s"}"#,
        "node_args": #"write "env": {"NODE_OPTIONS": "..."}"#,
        "out_file": #"pm log NAME shows it; "logs" chooses where output goes"#,
        "pid_file": "pm status NAME -o json has the process id",
        "restart_delay": #"write "restart": {"delay": "1s"}"#,
        "script": #"write "containers": {"NAME": {"path": "app.js"}}"#,
        "source_map_support": #"write "env": {"NODE_OPTIONS": "--enable-source-maps"}"#,
        "stop_exit_codes": #"write "restart": "on-failure": a service that ends with 0 then stays down"#,
        "treekill": "pm always ends a service with all its descendants",
        "uid": #"write "user""#,
        "wait_ready": #"write "ready": "ipc""#,
        "watch": "pm does not watch the files of a service; pm restart NAME starts it again",
        "watch_delay": "pm does not watch the files of a service; pm restart NAME starts it again",
    ]

    /// Of a file of Docker Compose.
    private static let compose = [
        "build": #"build the image before; a container of the type "docker" names it in its own file"#,
        "command": #"write "cli" for arguments; the program is "path" of the container"#,
        "container_name": "the name of the mapping is the name of the service",
        "cpus": #"write "limits": {"cpu": "150%"}"#,
        "depends_on": #"write "dependencies": ["db"]"#,
        "deploy": #"write "instances" and "limits""#,
        "entrypoint": #"the program is "path" of the container"#,
        "env_file": #"write "envFiles": ["./.env"]"#,
        "environment": #"write "env": {"NODE_ENV": "production"}"#,
        "healthcheck": #"write "live" for a running service and "ready" for its start"#,
        "image": #"write "type": "docker", and the image into the file that "path" names"#,
        "mem_limit": #"write "limits": {"memory": "512M"}"#,
        "ports":
            #"write "listen" for sockets that pm opens; a container of the type "docker" has ports in its own file"#,
        "scale": #"write "instances": 2"#,
        "services": #"pm has "containers" (what to run) and "mapping" (how to run it)"#,
        "stop_grace_period": #"write "stop": {"wait": "10s"}"#,
        "stop_signal": #"write "stop": {"signal": "SIGINT"}"#,
        "ulimits": #"write "limits": {"nofile": 8192}"#,
        "volumes": #"a container of the type "docker" has volumes in its own file; "sandbox" has "writable""#,
        "working_dir": #"write "cwd""#,
    ]

    /// Of a unit of systemd.
    private static let systemd = [
        "After": #"write "dependencies": ["db"]"#,
        "CPUQuota": #"write "limits": {"cpu": "150%"}"#,
        "Environment": #"write "env": {"NODE_ENV": "production"}"#,
        "EnvironmentFile": #"write "envFiles": ["./.env"]"#,
        "ExecStart": #"write the program in "path" of the container and its arguments in "cli""#,
        "ExecStop": #"pm sends the signals of "stop"; a commandable service may have the command $stop"#,
        "Group": #"write "group""#,
        "KillSignal": #"write "stop": {"signal": "SIGINT"}"#,
        "LimitNOFILE": #"write "limits": {"nofile": 8192}"#,
        "ListenStream": #"write "listen": 8080"#,
        "MemoryMax": #"write "limits": {"memory": "512M"}"#,
        "Nice": #"write "limits": {"nice": 5}"#,
        "Requires": #"write "dependencies": [{"name": "db", "onStop": "stop"}]"#,
        "Restart": #"write "restart": "always", "on-failure" or "never""#,
        "RestartSec": #"write "restart": {"delay": "1s"}"#,
        "TasksMax": #"write "limits": {"pids": 200}"#,
        "TimeoutStartSec": #"write "ready": {"check": "started", "deadline": "60s"}"#,
        "TimeoutStopSec": #"write "stop": {"wait": "10s"}"#,
        "UMask": #"write "umask": "0027""#,
        "User": #"write "user""#,
        "WantedBy": #"write "autostart": true"#,
        "Wants": #"write "dependencies": ["db"]"#,
        "WorkingDirectory": #"write "cwd""#,
    ]
}
