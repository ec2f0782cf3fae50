def tasks(batches):
    import itertools
    import os
    import subprocess
    import threading

    import pyarrow
    from pyspark import BarrierTaskContext, SparkFiles, TaskContext

    first = next(batches, None)
    if first is None:
        return
    environment = dict(os.environ)
    if barrier:
        context = BarrierTaskContext.get()
        environment["GOMOSAIC_TASK_HOSTS"] = ",".join(i.address.rpartition(":")[0] or i.address for i in context.getTaskInfos())
    else:
        context = TaskContext.get()
    environment["GOMOSAIC_TASK_PARTITION"] = str(context.partitionId())
    if "gpu" in context.resources():
        environment["GOMOSAIC_TASK_GPUS"] = ",".join(context.resources()["gpu"].addresses)
    process = subprocess.Popen(
        ["/bin/bash", "-c", script], cwd=SparkFiles.getRootDirectory(), env=environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    failures, last = [], [b""]

    def feed():
        try:
            if text:
                with process.stdin:
                    for batch in itertools.chain([first], batches):
                        process.stdin.write("".join(row + "\n" for row in batch.column(0).to_pylist()).encode())
                return
            with process.stdin, pyarrow.ipc.new_stream(process.stdin, first.schema) as writer:
                writer.write_batch(first)
                for batch in batches:
                    writer.write_batch(batch)
        except OSError:
            pass  # the program has ended, and says why
        except BaseException as e:
            failures.append(e)
            process.kill()  # what it has is not all

    def listen():
        for line in process.stderr:
            last[0] = (last[0] + line)[-4000:]

    threads = [threading.Thread(target=t, daemon=True) for t in (feed, listen)]
    for t in threads:
        t.start()
    try:
        lines, size = [], 0
        for line in process.stdout:
            lines.append(line.decode().rstrip("\n"))
            size += len(line)
            if not text or size >= 1 << 20:
                yield pyarrow.RecordBatch.from_arrays([pyarrow.array(lines)], names=["line"])
                lines, size = [], 0
        if lines:
            yield pyarrow.RecordBatch.from_arrays([pyarrow.array(lines)], names=["line"])
        status = process.wait()
        for t in threads:
            t.join()
    finally:
        process.kill()
    if failures:
        raise failures[0]
    if status:
        raise RuntimeError("exit status %d. Error: %s" % (status, last[0].decode(errors="replace")))
