package main

// The packages that cells use without an import (host.Preloaded), linked into the host so that a cell's plugin finds
// them loaded.
import (
	_ "gomosaic/display"
	_ "gomosaic/mdslib"
	_ "gomosaic/streamlib"
	_ "gomosaic/streamlib/transforms"
	_ "gomosaic/trainlib"
	_ "gomosaic/trainlib/checkpoint"
	_ "gomosaic/trainlib/dist"
	_ "gomosaic/trainlib/distributor"
	_ "gomosaic/trainlib/feed"
	_ "gomosaic/trainlib/models"
	_ "gomosaic/trainlib/nn"
	_ "gomosaic/trainlib/optim"
	_ "gomosaic/trainlib/torch"
)

// The drivers that register themselves with the light packages, in the manner of database/sql: heavy code that cells
// reach without linking it.
import (
	_ "gomosaic/display/arrowtable"
	_ "gomosaic/display/echarts"
	_ "gomosaic/mdslib/codec/brotli"
	_ "gomosaic/mdslib/codec/bzip2"
	_ "gomosaic/mdslib/local"
	_ "gomosaic/mdslib/local/arrowipc"
	_ "gomosaic/mdslib/local/parquet"
	_ "gomosaic/mdslib/spark"
	_ "gomosaic/mdslib/store/azure"
	_ "gomosaic/mdslib/store/databricks"
	_ "gomosaic/mdslib/store/gs"
	_ "gomosaic/mdslib/store/hf"
	_ "gomosaic/mdslib/store/s3"
	_ "gomosaic/mdslib/store/sftp"
	_ "gomosaic/mdslib/store/web"
)
