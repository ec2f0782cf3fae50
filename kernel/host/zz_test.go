package host
import ("testing";"time";"os")
func TestZZ(t *testing.T){
 o:=Options{Binary:"/tmp/cellsbin/gomosaic",ModuleDir:"/tmp/cellsbin/clone",CacheDir:"/tmp/cellsbin/cache/gomosaic"}
 at:=time.Now()
 s,err:=Start(t.Context(),o); if err!=nil {t.Fatal(err)}
 t.Log("start",time.Since(at))
 defer s.Close()
 for i,c:=range []string{"x:=1","x+1","mdslib.MDSOptions{}","streamlib.DatasetOptions{}","torch.CUDAAvailable()","nn.CrossEntropy","models.MobileNetV2(models.Options{Classes: 5}).Parameters()[0]","display.Markdown(\"hi\")","distributor.TorchDistributor{NumProcesses:2}","import \"github.com/apache/arrow/go/v17/arrow\"\narrow.PrimitiveTypes.Int64", "optim.SGDOptions{}","x+1","x+2","os.Getpid()"} {
  at:=time.Now()
  r:=&recorder{}
  err:=s.Execute(t.Context(),c,i+1,r)
  txt:=r.text(); if len(txt)>150 {txt=txt[:150]}
  t.Logf("%-60q %4d ms %q %v",c,time.Since(at).Milliseconds(),txt,err)
 }
 b,_:=os.ReadFile("/proc/"+itoa(s.host.pid)+"/status"); t.Log(string(b[:0]))
}
