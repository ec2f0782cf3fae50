package mdslib

import "gomosaic/mdslib/plan"

// Schema is the columns of a DataFrame. It prints as Spark's printSchema does and renders in a notebook.
type Schema = plan.Schema

// Field is one column of a [Schema].
type Field = plan.Field
